@refresh
Feature: A client refreshes its tokens
  POST /ags/refresh takes the refresh token in the header Authorization and answers with a new pair of tokens. The session as a whole ends
  at fixed_exp, whatever is refreshed. The page "Re-authenticating using the refresh token" describes it.

  Rule: A good refresh token gets new tokens

    @REF-01
    Scenario: A client refreshes
      Given a client that is signed on
      When the client refreshes its tokens
      Then the status is 200

    @REF-02
    Scenario: Both tokens come anew
      Given a client that is signed on
      When the client refreshes its tokens some seconds later
      Then the status is 200
      And the answer is a JSON object with these members:
        | member        | kind              |
        | access_token  | string, not empty |
        | refresh_token | string, not empty |
      And the access token is a new one
      And as a rule, the refresh token is a new one

    @REF-03
    Scenario: The answer holds what belongs to the tokens
      Given a client that is signed on
      When the client refreshes its tokens
      Then the status is 200
      And the answer is a JSON object with these members:
        | member                   | kind              |
        | access_token             | string, not empty |
        | refresh_token            | string, not empty |
        | accountId                | string, not empty |
        | token_type               | string, not empty |
        | expires_in               | integer, positive |
        | refresh_expires_in       | integer, positive |
        | fixed_refresh_expires_in | integer, positive |

    @REF-09
    Scenario: The access token lives on
      Given a client that is signed on
      When the client refreshes its tokens some seconds later
      Then the status is 200
      And the access token lives for expires_in from now on

    @REF-10
    Scenario: The end of the session stays where it was
      Given a client that is signed on
      When the client refreshes its tokens some seconds later
      Then the status is 200
      And the claim fixed_exp is the same as before

    @TOK-11
    Scenario: What is left of a refresh token
      A service may give the refresh token back that it was given. It has not become younger then.

      Given a client that is signed on
      When the client refreshes its tokens some seconds later
      Then the status is 200

    @REF-11
    Scenario: No refresh token outlives the session
      Given a client that is signed on
      When the client keeps refreshing until the session must end
      And the client refreshes its tokens
      Then the status is 200
      And the refresh token does not outlive fixed_exp

    @REF-12
    Scenario: The tokens still belong to the same client
      Given a client that is signed on
      When the client refreshes its tokens
      Then the status is 200
      And the claims accountId, deviceId, userId, tenantId are the same as before

    @REF-18
    Scenario: A chain of refreshes
      Given a client that is signed on
      When the client refreshes its tokens 5 times, each time with the token of the answer before
      Then the status is 200
      And the claims accountId, deviceId, userId, tenantId are the same as before

    @REF-23
    Scenario: Refresh tokens that are issued one after the other
      Given a client that is signed on
      When the client refreshes its tokens 5 times, each time with the token of the answer before
      Then the status is 200
      And none of the refresh tokens can be guessed from the others

    @REF-15
    Scenario: A bearer token
      Given a client that is signed on
      And the next request sends the token as a bearer token
      When the client refreshes its tokens
      Then the status is 200

    @REF-16
    Scenario: A token without a scheme
      Given a client that is signed on
      And the next request sends the token without a scheme
      When the client refreshes its tokens
      Then it is recorded how the service answers

    @REF-17
    Scenario: The refresh token that was used before
      Given a client that is signed on
      When the client refreshes its tokens
      Then the status is 200
      Given the next request presents the refresh token that was used before
      When the client refreshes its tokens
      Then it is recorded how the service answers

    @REF-20
    Scenario: No parameters
      Given a client that is signed on
      And the next request has no member "parameters"
      When the client refreshes its tokens
      Then it is recorded how the service answers

    @REF-20
    Scenario: An empty list of parameters
      Given a client that is signed on
      And the next request has the member "parameters" with the value []
      When the client refreshes its tokens
      Then it is recorded how the service answers

    @REF-21
    Scenario: Two refreshes at the same moment
      Given a client that is signed on
      When the client refreshes twice at the same moment with the same token
      Then it is recorded with which statuses both were answered

  Rule: The form of the request

    @REF-04
    Scenario: No token
      Given a client that is signed on
      And the next request has no header "Authorization"
      When the client refreshes its tokens
      Then the service refuses

    @REF-19
    Scenario: The authentication service must be named
      Given a client that is signed on
      And the next request has no header "x-auth-service-id"
      When the client refreshes its tokens
      Then the status is 400, 401, 403 or 404, or with a warning 200, 409 or 422

  Rule: Tokens that are good for nothing

    @REF-05
    Scenario: A token that nobody issued
      Given a client that is signed on
      And the next request presents a token that nobody issued
      When the client refreshes its tokens
      Then the status is 401, 400 or 403, or with a warning 404 or 422

    @REF-06
    Scenario: An access token
      Given a client that is signed on
      And the next request presents the access token instead of the refresh token
      When the client refreshes its tokens
      Then the service refuses

    @REF-07
    Scenario: A refresh token past its time
      Given a refresh token that has expired
      When the client refreshes its tokens
      Then the service refuses

    @REF-07 @slow
    Scenario: A refresh token is waited out
      Given a client that is signed on
      When the refresh token of the client expires
      And the client refreshes its tokens
      Then the service refuses
      When the client signs on with a session token and its clientId
      Then the status is 201

    @REF-08
    Scenario: A session past its end, however recently it was refreshed
      Given a client that is signed on
      When the client keeps refreshing until the session must end
      And the client refreshes its tokens
      Then the status is 200
      When the session of the client expires
      And the client refreshes its tokens
      Then the service refuses

    @REF-13
    Scenario Outline: The account was <state> since
      Given a client that is signed on
      When the operator <does> the account
      And the client refreshes its tokens
      Then the status is 403
      And the error code is <code>

      Examples:
        | state     | does     | code  |
        | suspended | suspends | 20002 |
        | cancelled | cancels  | 20001 |

    @REF-14
    Scenario: The device was disabled since
      Given a client that is signed on
      When the operator disables the device
      And the client refreshes its tokens
      Then the status is 403
      And the error code is 20004

    @REF-14
    Scenario: The device has become inactive since
      Pages say that an inactive device cannot sign on, and that devices are looked at again at refresh, but not the two together.

      Given a client that is signed on
      When the operator makes the device inactive
      And the client refreshes its tokens
      Then as a rule, the service refuses

    @REF-14
    Scenario: The device was deleted since
      Given a client that is signed on
      When the operator deletes the device
      And the client refreshes its tokens
      Then the status is 403, 401 or 404
      And the error code, if there is one, is 20003 or 20020

    @REF-22
    Scenario Outline: A token whose <part> was changed
      Given a client that is signed on
      And the next request presents a token whose <part> was changed
      When the client refreshes its tokens
      Then the service refuses

      Examples:
        | part      |
        | payload   |
        | signature |

    @REF-22
    Scenario: A token without a signature
      Given a client that is signed on
      And the next request presents an unsigned token
      When the client refreshes its tokens
      Then the service refuses
