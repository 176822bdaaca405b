@subsequent-sign-on
Feature: A user finishes a sign-on for one of several accounts
  POST /ags/subsequentSignOn takes the userAccountToken of the account that the user has picked from the list of signOn, in the header
  User-Token. The page "Signing in to a specific account" describes it.

  @SUB-01
  Scenario: The user picks an account
    Given a user with several accounts
    When the user signs on with the credentials for the first time
    Then the status is 300
    When the user picks account 1
    Then the status is 201
    And the answer is a JSON object with these members:
      | member                   | kind              |
      | access_token             | string, not empty |
      | refresh_token            | string, not empty |
      | client_id                | string, not empty |
      | accountId                | string, not empty |
      | token_type               | string, not empty |
      | expires_in               | integer, positive |
      | refresh_expires_in       | integer, positive |
      | fixed_refresh_expires_in | integer, positive |

  @SUB-04
  Scenario: Each choice leads to its own account
    Given a user with several accounts
    When the user signs on with the credentials for the first time
    Then the status is 300
    When the user picks account 1
    Then the status is 201
    And the body and the claims name the same account and client
    When the user picks account 2
    Then the status is 201
    And the body and the claims name the same account and client
    And the accounts of the picked sign-ons differ

  @SUB-02
  Scenario: No account is picked
    Given a user with several accounts
    When the user signs on with the credentials for the first time
    Then the status is 300
    Given the next request has no header "User-Token"
    When the user picks account 1
    Then the status is 401 or 400, or with a warning 403, 404 or 422

  @SUB-03
  Scenario: An account is picked with a token that nobody issued
    Given a user with several accounts
    When the user signs on with the credentials for the first time
    Then the status is 300
    Given the next request picks an account with a token that nobody issued
    When the user picks account 1
    Then the status is 401 or 403, or with a warning 400, 404 or 422

  @SUB-05
  Scenario: The authentication service must be named
    Given a user with several accounts
    When the user signs on with the credentials for the first time
    Then the status is 300
    Given the next request has no header "x-auth-service-id"
    When the user picks account 1
    Then the service refuses

  @SUB-06
  Scenario: A body that is not JSON
    Given a user with several accounts
    When the user signs on with the credentials for the first time
    Then the status is 300
    Given the next request has this body:
      """
      {"parameters":
      """
    When the user picks account 1
    Then the status is 400

  @SUB-07
  Scenario: An account is picked twice with one token
    Given a user with several accounts
    When the user signs on with the credentials for the first time
    Then the status is 300
    When the user picks account 1
    Then the status is 201
    When the user picks account 1
    Then it is recorded how the service answers

  @SUB-08
  Scenario: Tokens for picking that are issued one after the other
    Given a user with several accounts
    When the user signs on with the credentials for the first time
    Then the status is 300
    When the user signs on with the credentials for the first time
    Then the status is 300
    When the user signs on with the credentials for the first time
    Then the status is 300
    When the user signs on with the credentials for the first time
    Then the status is 300
    And none of the userAccountTokens can be guessed from the others

  @SUB-09
  Scenario: An account is picked as a device of another account
    Given a user with several accounts
    When the user signs on with the credentials for the first time
    Then the status is 300
    When the user picks account 1
    And the user picks account 1 again as the device that it got
    Given a device of another account
    When the user picks account 1 again as that device
    Then no tokens of that account or device come
