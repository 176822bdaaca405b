@sign-on
Feature: A user signs on with credentials
  POST /ags/signOn takes what the authentication service wants to know of a user, usually a name and a password. One matching account
  signs the user on; several are offered as a list. The page "Signing in with SSO" describes it.

  Rule: Good credentials sign the user on

    @SSO-01
    Scenario: One account matches
      Given a user with one account
      And a device of the account
      When the user signs on with the credentials and the clientId
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
      And the tokens belong to the account, the client and the tenant of the request

    @SSO-11
    Scenario: A known client keeps its clientId
      Given a user with one account
      And a device of the account
      When the user signs on with the credentials and the clientId
      Then the status is 201
      And the client_id of the answer is the clientId of the request

    @SSO-12
    Scenario: A new client gets a clientId
      Given a user with one account
      When the user signs on with the credentials for the first time
      Then the status is 201
      And the client_id of the answer is new

  Rule: Several accounts are offered for choice

    @SSO-02 @SSO-03
    Scenario: The list of accounts
      Given a user with several accounts
      When the user signs on with the credentials for the first time
      Then the status is 300
      And the answer is a JSON object with these members:
        | member   | kind  |
        | accounts | array |
      And the list offers at least 2 accounts

    @SSO-04
    Scenario: What is told of each account
      Given a user with several accounts
      When the user signs on with the credentials for the first time
      Then the status is 300
      And each account of the list has an accountInformation that is JSON in a text

    @SSO-05
    Scenario: How an account is picked
      Given a user with several accounts
      When the user signs on with the credentials for the first time
      Then the status is 300
      And each account of the list can be picked by a userAccountToken

    @SSO-06
    Scenario: Nobody is signed on yet
      Given a user with several accounts
      When the user signs on with the credentials for the first time
      Then the status is 300
      And the answer holds no tokens

  Rule: The form of the request

    @SSO-07
    Scenario: A body without parameters
      Given a user with one account
      And a device of the account
      And the next request has no member "parameters"
      When the user signs on with the credentials and the clientId
      Then the status is 400, or with a warning 401, 403, 404 or 422

    @SSO-07
    Scenario: A body that is not JSON
      Given a user with one account
      And a device of the account
      And the next request has this body:
        """
        {"parameters":[{"name":"username","value":"dave"},
        """
      When the user signs on with the credentials and the clientId
      Then the status is 400

    @SSO-13
    Scenario: What discovery calls mandatory is mandatory
      Given a user with one account
      And a device of the account
      Then leaving out any parameter that is mandatory for "/signOn" is answered with 400 or 401

    @SSO-17
    Scenario: Neither deviceInformation nor clientId
      Given a user with one account
      And a device of the account
      And the next request has no member "clientId"
      When the user signs on with the credentials and the clientId
      Then the status is 400, or with a warning 401, 403, 404 or 422

    @SSO-14
    Scenario: The authentication service must be named
      Given a user with one account
      And a device of the account
      And the next request has no header "x-auth-service-id"
      When the user signs on with the credentials and the clientId
      Then the service refuses

  Rule: Who may not sign on

    @SSO-08
    Scenario: A wrong password
      Given a user with one account
      And a device of the account
      And the next request has a wrong password
      When the user signs on with the credentials and the clientId
      Then the status is 401, or with a warning 400, 403, 404 or 422
      And the answer holds no tokens

    @SSO-15
    Scenario: A user whom nobody knows
      Given a user with one account
      And a device of the account
      And the next request has a wrong password
      When the user signs on with the credentials and the clientId
      Then the service refuses
      Given the next request names a user whom nobody knows
      When the user signs on with the credentials and the clientId
      Then the service refuses
      Given the next request names a user whom nobody knows
      When the user signs on with the credentials and the clientId
      Then it is recorded whether the refusals tell who has an account

    @SSO-09
    Scenario: A user whose account is suspended
      Given a user whose account is suspended
      When the user signs on with the credentials and the clientId
      Then the status is 403

    @SSO-10
    Scenario: A client that does not exist
      Given a user with one account
      And a clientId that nobody has
      When the user signs on with the credentials and the clientId
      Then the status is 404 or 403, or with a warning 400, 401, 409, 410 or 422
      And the error code, if there is one, is 20003

    @SSO-16
    Scenario: The client belongs to somebody else
      Given a user with one account
      And a device of another account
      When the user signs on with the credentials and the clientId
      Then the service refuses
