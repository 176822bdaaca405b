@sign-on-with-session-token
Feature: A client signs on with a session token
  POST /ags/signOnWithSessionToken takes a session token that a head-end system has obtained for the client, and answers with the tokens
  of the client. A client that was never there sends deviceInformation, one that was sends the clientId it got then. The page "Signing in
  with a session token" describes it.

  Rule: A good session token signs the client on

    @SOST-01
    Scenario: A known client signs on
      Given an account in good standing
      And a device of the account
      When the client signs on with a session token and its clientId
      Then the status is 201

    @SOST-02
    Scenario: A new client signs on
      Given an account in good standing
      When the client signs on with a session token for the first time
      Then the status is 201

    @SOST-03 @SOST-04
    Scenario: The answer holds the tokens and what belongs to them
      Given an account in good standing
      And a device of the account
      When the client signs on with a session token and its clientId
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

    @SOST-20
    Scenario: A known client keeps its clientId
      Given an account in good standing
      And a device of the account
      When the client signs on with a session token and its clientId
      Then the status is 201
      And the client_id of the answer is the clientId of the request

    @SOST-21
    Scenario: A new client gets a clientId that it can use from then on
      Given an account in good standing
      When the client signs on with a session token for the first time
      Then the status is 201
      And the client_id of the answer is new
      When the client signs on with a session token and its clientId
      Then the status is 201
      And the client_id of the answer is the clientId of the request

    @SOST-22
    Scenario: The answer belongs to the account that the head-end system named
      Given an account in good standing
      And a device of the account
      When the head-end system asks for a session token
      Then the status is 200
      Given the client takes over the session token
      When the client signs on with a session token and its clientId
      Then the status is 201
      And the account of the answer is the account of the scenario

    @SOST-23
    Scenario: The tokens belong to the tenant of the request
      Given an account in good standing
      And a device of the account
      When the client signs on with a session token and its clientId
      Then the status is 201
      And the tenantId of both tokens is the nv-tenant-id of the request

    @SOST-24
    Scenario: A session token stands for one account, so there is nothing to choose
      Given an account in good standing
      And a device of the account
      When the client signs on with a session token and its clientId
      Then the status is 201
      And the answer has no member "accounts"

    @SOST-33
    Scenario: Two new clients sign on at the same moment
      Given an account in good standing
      When 2 clients sign on for the first time at the same moment
      Then both sign-ons were granted
      And the clients got different client_ids

  Rule: The form of the request

    @SOST-05
    Scenario: The authentication service must be named
      Given an account in good standing
      And a device of the account
      And the next request has no header "x-auth-service-id"
      When the client signs on with a session token and its clientId
      Then the service refuses

    @SOST-06
    Scenario: The authentication service must be one that discovery lists
      Given an account in good standing
      And a device of the account
      And the next request has the header "x-auth-service-id" with the value "A Service That Nobody Has Configured"
      When the client signs on with a session token and its clientId
      Then the service refuses

    @SOST-07
    Scenario: A body without parameters
      Given an account in good standing
      And a device of the account
      And the next request has no member "parameters"
      When the client signs on with a session token and its clientId
      Then the status is 400, or with a warning 401, 403, 404 or 422

    @SOST-08
    Scenario Outline: A body that is not JSON: <what>
      Given an account in good standing
      And a device of the account
      And the next request has this body:
        """
        <body>
        """
      When the client signs on with a session token and its clientId
      Then the status is 400

      Examples:
        | what                 | body                                                         |
        | it ends in the middle | {"parameters":[{"name":"sessionToken","value":"x"             |
        | it is plain text     | sessionToken=x                                               |
        | a comma is missing   | {"parameters":[{"name":"sessionToken" "value":"x"}]}         |

    @SOST-09
    Scenario Outline: Parameters that are no array but <what>
      Given an account in good standing
      And a device of the account
      And the next request has the member "parameters" with the value <value>
      When the client signs on with a session token and its clientId
      Then the status is 400, or with a warning 401, 403, 404 or 422

      Examples:
        | what      | value                                 |
        | an object | {"name":"sessionToken","value":"abc"} |
        | a text    | "sessionToken"                        |

    @SOST-10
    Scenario Outline: A parameter without <what>
      Given an account in good standing
      And a device of the account
      And the next request has the member "parameters" with the value <value>
      When the client signs on with a session token and its clientId
      Then the status is 400, or with a warning 401, 403, 404 or 422

      Examples:
        | what    | value                     |
        | a value | [{"name":"sessionToken"}] |
        | a name  | [{"value":"abcdef"}]      |

    @SOST-11
    Scenario: An empty list of parameters
      Given an account in good standing
      And a device of the account
      And the next request has the member "parameters" with the value []
      When the client signs on with a session token and its clientId
      Then the service refuses

    @SOST-12
    Scenario: Neither deviceInformation nor clientId
      Given an account in good standing
      And a device of the account
      And the next request has no member "clientId"
      When the client signs on with a session token and its clientId
      Then the status is 400, or with a warning 401, 403, 404 or 422

    @SOST-13
    Scenario: Both deviceInformation and clientId
      Given an account in good standing
      And a device of the account
      And the next request has the deviceInformation:
        """
        {"device":{"hardware":{"type":"Mobile"},"OS":{"type":"Android","version":"14"}},"playoutDeviceClass":"mobileDevice"}
        """
      When the client signs on with a session token and its clientId
      Then it is recorded how the service answers

    @SOST-25
    Scenario: No tenant is named
      Given an account in good standing
      And a device of the account
      And the next request has no header "nv-tenant-id"
      When the client signs on with a session token and its clientId
      Then it is recorded how the service answers

    @SOST-26
    Scenario: A correlation id may be left out
      Given an account in good standing
      And a device of the account
      And the next request has no header "x-correlation-id"
      When the client signs on with a session token and its clientId
      Then the status is 201

    @SOST-27
    Scenario: The correlation id of the request
      Given an account in good standing
      And a device of the account
      When the client signs on with a session token and its clientId
      Then it is recorded whether the correlation id comes back

    @SOST-28
    Scenario Outline: Header names in <case> case
      Given an account in good standing
      And a device of the account
      And the next request writes its header names in <case> case
      When the client signs on with a session token and its clientId
      Then the status is 201

      Examples:
        | case  |
        | upper |
        | lower |
        | title |

    @SOST-29
    Scenario: Headers that the service does not know
      Given an account in good standing
      And a device of the account
      And the next request has the header "Nagra-Device-Type" with the value "mobile"
      And the next request has the header "X-Something-Else" with the value "of no importance"
      When the client signs on with a session token and its clientId
      Then the status is 201

    @SOST-29
    Scenario: A member of the body that the service does not know
      Given an account in good standing
      And a device of the account
      And the next request has the member "somethingElse" with the value {"of":["no","importance"]}
      When the client signs on with a session token and its clientId
      Then the status is 201, or with a warning 400

    @SOST-30
    Scenario Outline: <method> instead of POST
      Given an account in good standing
      And a device of the account
      And the next request uses the method <method>
      When the client signs on with a session token and its clientId
      Then it is recorded how the service answers

      Examples:
        | method |
        | GET    |
        | PUT    |
        | DELETE |

    @SOST-31
    Scenario: Another content type
      Given an account in good standing
      And a device of the account
      And the next request has the header "Content-Type" with the value "text/plain"
      When the client signs on with a session token and its clientId
      Then it is recorded how the service answers

  Rule: Who may not sign on

    @SOST-14
    Scenario: A session token that nobody has issued
      Given an account in good standing
      And a device of the account
      And a session token that was never issued
      When the client signs on with a session token and its clientId
      Then the status is 401, 400, 403 or 404, or with a warning 409 or 422
      And the answer holds no tokens

    @SOST-15
    Scenario: A session token that has expired
      Given an account in good standing
      And a device of the account
      And a session token that has expired
      When the client signs on with a session token and its clientId
      Then the service refuses

    @SOST-16
    Scenario: A session token is used a second time
      Given an account in good standing
      And a device of the account
      And a session token of the account
      When the client signs on with a session token and its clientId
      Then the status is 201
      When the client signs on with a session token and its clientId
      Then it is recorded whether the session token can be used again

    @SOST-17
    Scenario: The caller is in a blocked location
      Given an account in good standing
      And a device of the account
      And a caller in a blocked location
      When the client signs on with a session token and its clientId
      Then the status is 403

    @SOST-18
    Scenario: The account is not allowed to sign on
      Given a suspended account
      When the client signs on with a session token and its clientId
      Then the status is 403

    @SOST-19
    Scenario: The client does not exist
      Given an account in good standing
      And a clientId that nobody has
      When the client signs on with a session token and its clientId
      Then the status is 404 or 403, or with a warning 400, 401, 409, 410 or 422
      And the error code, if there is one, is 20003

    @SOST-32
    Scenario: The client belongs to somebody else
      Given an account in good standing
      And a device of another account
      When the client signs on with a session token and its clientId
      Then the service refuses
