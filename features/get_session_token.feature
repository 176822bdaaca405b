@get-session-token
Feature: A head-end system asks for a session token
  POST /ags/getSessionToken takes an OperatorAuthToken, a JWT that the operator signs with HS256 for one account and one tenant, and
  answers with a session token for a client. The page "Requesting a session token" describes it.

  Rule: A good OperatorAuthToken gets a session token

    @GST-01 @GST-02
    Scenario: The operator asks for an account
      Given an account in good standing
      When the head-end system asks for a session token
      Then the status is 200
      And the answer is a JSON object with these members:
        | member       | kind              |
        | sessionToken | string, not empty |

    @GST-12
    Scenario: Asking twice gives two session tokens
      Given an account in good standing
      When the head-end system asks for a session token
      Then the status is 200
      When the head-end system asks for a session token
      Then the status is 200
      And it is recorded whether the session token is another one than before

    @GST-15
    Scenario: Session tokens that are issued one after the other
      Given an account in good standing
      When the head-end system asks for a session token
      Then the status is 200
      When the head-end system asks for a session token
      Then the status is 200
      When the head-end system asks for a session token
      Then the status is 200
      When the head-end system asks for a session token
      Then the status is 200
      And none of the session tokens can be guessed from the others

    @GST-13
    Scenario: The session token signs a client on
      Given an account in good standing
      And a device of the account
      When the head-end system asks for a session token
      Then the status is 200
      Given the client takes over the session token
      When the client signs on with a session token and its clientId
      Then the status is 201
      And the tokens belong to the account, the client and the tenant of the request

  Rule: The form of the request

    @GST-03
    Scenario: A body without parameters
      Given an account in good standing
      And the next request has no member "parameters"
      When the head-end system asks for a session token
      Then the status is 400, or with a warning 401, 403, 404 or 422

    @GST-03
    Scenario: An empty list of parameters
      Given an account in good standing
      And the next request has the member "parameters" with the value []
      When the head-end system asks for a session token
      Then the status is 400, or with a warning 401, 403, 404 or 422

    @GST-03
    Scenario: A body that is not JSON
      Given an account in good standing
      And the next request has this body:
        """
        {"parameters":[{"name":"OperatorAuthToken","value":
        """
      When the head-end system asks for a session token
      Then the status is 400

    @GST-11
    Scenario: The authentication service must be named
      Given an account in good standing
      And the next request has no header "x-auth-service-id"
      When the head-end system asks for a session token
      Then the service refuses

  Rule: An OperatorAuthToken that is not what it must be

    @GST-04
    Scenario: Signed with another secret
      Given an account in good standing
      And the OperatorAuthToken is signed with another secret
      When the head-end system asks for a session token
      Then the status is 401 or 403, or with a warning 400, 404 or 422

    @GST-05
    Scenario: Expired
      Given an account in good standing
      And the OperatorAuthToken has expired an hour ago
      When the head-end system asks for a session token
      Then the status is 401 or 403, or with a warning 400, 404 or 422

    @GST-06
    Scenario: Meant for another audience
      Given an account in good standing
      And the OperatorAuthToken has the claim "aud" with the value "elsewhere"
      When the head-end system asks for a session token
      Then the status is 401 or 403, or with a warning 400, 404 or 422

    @GST-07
    Scenario: Of another type
      Given an account in good standing
      And the OperatorAuthToken has the claim "typ" with the value "DevAuthN"
      When the head-end system asks for a session token
      Then the status is 401 or 403, or with a warning 400, 404 or 422

    @GST-08
    Scenario: With the algorithm none
      Given an account in good standing
      And the OperatorAuthToken is signed with the algorithm none
      When the head-end system asks for a session token
      Then the status is 401 or 403, or with a warning 400, 404 or 422

    @GST-08
    Scenario: Forged with what everybody knows
      Given an account in good standing
      And the OperatorAuthToken is forged with what everybody knows
      When the head-end system asks for a session token
      Then the status is 401 or 403, or with a warning 400, 404 or 422

    @GST-08
    Scenario: With another algorithm and the right key
      Given an account in good standing
      And the OperatorAuthToken is signed with the algorithm HS512
      When the head-end system asks for a session token
      Then the status is 401 or 403, or with a warning 200, 400, 404 or 422

    @GST-09
    Scenario: For an account that nobody has
      Given an account in good standing
      And the OperatorAuthToken names an account that nobody has
      When the head-end system asks for a session token
      Then the service refuses

    @GST-10
    Scenario: For another tenant than the request names
      Given an account in good standing
      And the OperatorAuthToken has the claim "OpfTenantId" with the value "another-tenant"
      When the head-end system asks for a session token
      Then the service refuses

    @GST-16
    Scenario: Good only later
      Given an account in good standing
      And the OperatorAuthToken is good only in an hour
      When the head-end system asks for a session token
      Then it is recorded how the service answers

    @GST-16
    Scenario: With something critical that nobody knows
      Whoever does not understand what a header marks as critical must refuse the token (RFC 7515).

      Given an account in good standing
      And the OperatorAuthToken marks as critical what nobody knows
      When the head-end system asks for a session token
      Then it is recorded how the service answers

    @GST-14
    Scenario Outline: The <kind> token of a client
      Given a client that is signed on
      And the <kind> token of the client stands in place of the OperatorAuthToken
      When the head-end system asks for a session token
      Then the service refuses

      Examples:
        | kind    |
        | access  |
        | refresh |
