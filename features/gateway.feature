@gateway
Feature: The gateway in front of the service
  The service is reached through an API gateway, which checks tokens and speaks https. The page "Access and authentication information"
  describes it.

  @GW-01
  Scenario: A platform call with an unusable token
    Given a client that is signed on
    When the client asks for the devices of the account with a token that nobody issued
    Then the status is 403
    And the result code is "99999:403"

  @GW-02
  Scenario: A refusal is a refusal, whatever its status
    Given a client that is signed on
    And the next request presents a token that nobody issued
    When the client refreshes its tokens
    Then the service refuses

  @GW-03
  Scenario Outline: The token in <place>
    Given a client that is signed on
    When the client asks for the devices of the account with the token in <place>
    Then it is recorded how the service answers

    Examples:
      | place                     |
      | the header "Client-token" |
      | the header "token"        |
      | the query                 |
      | cookies                   |

  @GW-04
  Scenario: Encrypted
    Then the service is offered over https

  @GW-05
  Scenario: Answers say that they are JSON
    Given an account in good standing
    And a device of the account
    When the client signs on with a session token and its clientId
    Then the status is 201
    And the answer declares a JSON content type

  @GW-06
  Scenario: Tokens in caches
    Given an account in good standing
    And a device of the account
    When the client signs on with a session token and its clientId
    Then the status is 201
    And the answer does not offer itself to caches

  @GW-07
  Scenario Outline: <size> kB more of <what>
    Gateways have room for some kB of headers and of body.

    Given a client that is signed on
    And the next request has <size> kB more of <what>
    When the client refreshes its tokens
    Then it is recorded whether that much gets through

    Examples:
      | size | what    |
      | 4    | headers |
      | 8    | headers |
      | 16   | headers |
      | 4    | body    |
      | 8    | body    |
      | 16   | body    |

  @GW-08
  Scenario: Pages of other origins
    A browser asks by a preflight before it sends a page's call to another origin.

    Given an account in good standing
    And a device of the account
    And the next request is the preflight that a browser sends for a page of another origin
    When the client signs on with a session token and its clientId
    Then it is recorded what pages of other origins may do
