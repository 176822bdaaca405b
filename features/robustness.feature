@robustness
Feature: Requests that no client should send
  Beside the scenarios that spell out single mistakes, requests are generated from the documented ones: members are left out, doubled,
  null, of another kind, empty, huge or deeply nested, texts hold control characters or broken UTF-8, headers are missing or odd. Whatever
  comes, the service answers in time, never with a status of 500 or more, and lets nobody in who has shown no good token or password.
  How many are sent is set with --generate, which ones with --seed.

  @ERR-07 @ERR-08 @generated
  Scenario Outline: Generated requests to <operation>
    Given everything that <operation> needs
    When generated requests are sent to <operation>
    Then every one was answered in time, none with 500 or more, and nobody was let in without a good token or password

    Examples:
      | operation              |
      | servicediscovery       |
      | signOn                 |
      | subsequentSignOn       |
      | getSessionToken        |
      | signOnWithSessionToken |
      | refresh                |
      | signOut                |
      | register               |
      | subsequentRegister     |

  @sequences
  Scenario: Random sequences of calls
    Sign-ons, refreshes and sign-outs of several clients, what the operator does to accounts and devices, and the passing of time, in any
    order, are held against a small model of what may be answered. How many sequences are walked is set with --sequences, which ones
    with --seed.

    When random sequences of calls are walked
    Then every answer was one that the model allows
