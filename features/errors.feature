@errors
Feature: How the service refuses
  A refusal has a status from 400 to 499 and, with 403, often a numeric sub-code that tells why. Nothing public shows the body of an error:
  any form of it is fine, but it never holds tokens, repeats no secret, and no mistake of a client is answered with a status of 500 or
  more. The judge holds every refusal in any scenario against that. The pages "Sign-in error code management" and "Error code management
  on clients" list the sub-codes.

  Rule: Callers that the operator shuts out

    @ERR-01
    Scenario: A known client behind a VPN
      Given an account in good standing
      And a device of the account
      And a caller behind a VPN
      When the client signs on with a session token and its clientId
      Then the status is 403
      And the error code is 20018 or 20021

    @ERR-01
    Scenario: A new client behind a VPN
      Given an account in good standing
      And a caller behind a VPN
      When the client signs on with a session token for the first time
      Then the status is 403
      And the error code is 20018 or 20021

    @ERR-02
    Scenario: A known client in a blocked location
      Given an account in good standing
      And a device of the account
      And a caller in a blocked location
      When the client signs on with a session token and its clientId
      Then the status is 403
      And the error code is 20019, 20022 or 20066

    @ERR-02
    Scenario: A new client in a blocked location
      Given an account in good standing
      And a caller in a blocked location
      When the client signs on with a session token for the first time
      Then the status is 403
      And the error code is 20019, 20022 or 20066

    @ERR-02
    Scenario: A user with credentials in a blocked location
      Given a user with one account
      And a device of the account
      And a caller in a blocked location
      When the user signs on with the credentials and the clientId
      Then the status is 403
      And the error code is 20019, 20022 or 20066

    @ERR-01
    Scenario: A user with credentials behind a VPN
      Given a user with one account
      And a device of the account
      And a caller behind a VPN
      When the user signs on with the credentials and the clientId
      Then the status is 403
      And the error code is 20018 or 20021

    @ERR-01
    Scenario: A user with credentials and a new client behind a VPN
      Given a user with one account
      And a caller behind a VPN
      When the user signs on with the credentials for the first time
      Then the status is 403
      And the error code is 20018 or 20021

    @ERR-01
    Scenario: A user who picks an account behind a VPN
      Given a user with several accounts
      When the user signs on with the credentials for the first time
      Then the status is 300
      Given a caller behind a VPN
      When the user picks account 1
      Then the status is 403
      And the error code is 20018 or 20021

    @ERR-02
    Scenario: A user with credentials and a new client in a blocked location
      Given a user with one account
      And a caller in a blocked location
      When the user signs on with the credentials for the first time
      Then the status is 403
      And the error code is 20019, 20022 or 20066

    @ERR-02
    Scenario: A user who picks an account in a blocked location
      Given a user with several accounts
      When the user signs on with the credentials for the first time
      Then the status is 300
      Given a caller in a blocked location
      When the user picks account 1
      Then the status is 403
      And the error code is 20019, 20022 or 20066

    @ERR-13 @alone
    Scenario Outline: The operator does not mind <who>
      Given an account in good standing
      And a device of the account
      And <caller>
      When the operator switches the blocking of VPNs and locations off
      And the client signs on with a session token and its clientId
      And the operator switches the blocking of VPNs and locations on
      Then the status is 201

      Examples:
        | who                      | caller                         |
        | callers behind VPNs      | a caller behind a VPN          |
        | callers from elsewhere   | a caller in a blocked location |

  Rule: What a refusal says

    @ERR-03
    Scenario: A token that fails its check
      Given a client that is signed on
      And the next request presents a token whose signature was changed
      When the client refreshes its tokens
      Then the status is 403, or with a warning 400, 401, 404 or 422
      And the error code, if there is one, is 20020

    @ERR-04
    Scenario: Where the sub-code stands
      Given a suspended account
      When the client signs on with a session token and its clientId
      Then the status is 403
      And the error gives its code in the member "code"

    @ERR-05
    Scenario: A text for people
      Given a suspended account
      When the client signs on with a session token and its clientId
      Then the status is 403
      And the error has a text "message"

    @ERR-06
    Scenario: A second member with a code
      Given a suspended account
      When the client signs on with a session token and its clientId
      Then the status is 403
      And it is recorded whether the answer has the member "errorCode"

    @ERR-11
    Scenario: How to authenticate
      Given a client that is signed on
      And the next request presents a token that nobody issued
      When the client refreshes its tokens
      Then it is recorded whether the answer has the header "WWW-Authenticate"

  Rule: What a refusal never does

    @ERR-07
    Scenario: A refused sign-on gives no tokens
      Given a suspended account
      When the client signs on with a session token and its clientId
      Then the service refuses
      And the answer holds no tokens

    @ERR-07
    Scenario: A refused refresh gives no tokens
      Given a client that is signed on
      When the operator suspends the account
      And the client refreshes its tokens
      Then the service refuses
      And the answer holds no tokens

    @ERR-10
    Scenario: A session token is not repeated
      Given an account in good standing
      And a device of the account
      And a session token that was never issued
      When the client signs on with a session token and its clientId
      Then the service refuses
      And nothing that was submitted in secret is repeated in the answer

    @ERR-10
    Scenario: A password is not repeated
      Given a user with one account
      And a device of the account
      And the next request has a wrong password
      When the user signs on with the credentials and the clientId
      Then the service refuses
      And nothing that was submitted in secret is repeated in the answer

    @ERR-10
    Scenario: A refresh token is not repeated
      Given a client that is signed on
      And the next request presents a token whose payload was changed
      When the client refreshes its tokens
      Then the service refuses
      And nothing that was submitted in secret is repeated in the answer

    @ERR-14
    Scenario: The password goes into no token
      Given a user with one account
      And a device of the account
      When the user signs on with the credentials and the clientId
      Then the status is 201
      And neither the operator's key nor a password is given away

    @ERR-14
    Scenario: Discovery tells no key
      When the client asks for the authentication services
      Then the status is 200
      And neither the operator's key nor a password is given away

    @ERR-08
    Scenario Outline: <what> is the client's mistake, not the service's
      Given an account in good standing
      And a device of the account
      And the next request has this body:
        """
        <body>
        """
      When the client signs on with a session token and its clientId
      Then the service refuses

      Examples:
        | what                       | body                                          |
        | a list instead of an object | [1,2,3]                                      |
        | a number                   | 42                                            |
        | null                       | null                                          |
        | parameters that are null   | {"parameters":null,"clientId":"{clientId}"}   |
        | a clientId that is a number | {"parameters":[{"name":"sessionToken","value":"x"}],"clientId":5} |

    @ERR-08
    Scenario: An empty body is the client's mistake, not the service's
      Given an account in good standing
      And a device of the account
      And the next request has an empty body
      When the client signs on with a session token and its clientId
      Then the service refuses

    @ERR-09
    Scenario: Only documented statuses come
      Given an account in good standing
      And a device of the account
      When the client signs on with a session token and its clientId
      Then the status is 201
      Given a session token that was never issued
      When the client signs on with a session token and its clientId
      Then the status is 400, 401, 403 or 404, or with a warning 409 or 422
