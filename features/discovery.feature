@discovery
Feature: Discovery tells which authentication services there are
  GET /ags/servicediscovery is the first call of every client: it lists the authentication services of the tenant, the calls that each
  offers and the parameters that each call wants. The page "Getting SSO services" describes it.

  @DISC-01
  Scenario: A configured tenant has authentication services
    When the client asks for the authentication services
    Then the status is 200
    And there is at least one authentication service

  @DISC-02
  Scenario: A tenant for which nothing is configured
    Given a tenant without authentication services
    When the client asks for the authentication services
    Then the status is 404

  @DISC-03
  Scenario: No argument is mandatory
    Given the next request has no header "token"
    And the next request has no header "x-correlation-id"
    When the client asks for the authentication services
    Then the status is 200

  @DISC-03
  Scenario: A client that is signed on already may say so
    Given a client that is signed on
    And the next request has the header "token" with the value "{accessToken}"
    When the client asks for the authentication services
    Then the status is 200

  @DISC-04 @DISC-05
  Scenario: The list holds services with names
    When the client asks for the authentication services
    Then the status is 200
    And the answer is a JSON object with these members:
      | member            | kind             |
      | availableServices | array, not empty |
    And every service has a non-empty text "authServiceName"

  @DISC-06
  Scenario: What people are shown of a service is text
    When the client asks for the authentication services
    Then the status is 200
    And "logo" and "name" of every displayAttributes are texts where they are there

  @DISC-07
  Scenario: Every call that a service offers has a name and a path
    When the client asks for the authentication services
    Then the status is 200
    And every endpoint has a text "name" and a "path" that starts with "/"

  @DISC-07
  Scenario: No listed path leads nowhere
    When the client asks for the authentication services
    Then the status is 200
    And every listed path leads to a call

  @DISC-08
  Scenario: Every parameter says whether it is mandatory and whether it is a password
    When the client asks for the authentication services
    Then the status is 200
    And every parameter has a text "name" and says true or false of "mandatory" and "isPassword"

  @DISC-09
  Scenario: Signing on with credentials is offered
    When the client asks for the authentication services
    Then the status is 200
    And a service offers an endpoint with the path "/signOn"

  @DISC-10
  Scenario: Signing on with a session token is offered
    When the client asks for the authentication services
    Then the status is 200
    And a service offers an endpoint with the path "/signOnWithSessionToken"

  @DISC-11
  Scenario: The parameter that carries the session token is told
    When the client asks for the authentication services
    Then the status is 200
    And the endpoint "/signOnWithSessionToken" lists the parameter "sessionToken"

  @DISC-12
  Scenario: Asking twice
    When the client asks for the authentication services
    And the client asks for the authentication services
    Then it is recorded whether both answers are the same

  @DISC-13
  Scenario: A tenant that nobody knows
    Given a tenant that nobody knows
    When the client asks for the authentication services
    Then it is recorded how the service answers

  @DISC-14
  Scenario: Every discovered service can be signed on with
    Given an account in good standing
    And a device of the account
    When the client asks for the authentication services
    And the client signs on once with each authentication service
    Then no service was refused with 400

  @DISC-14
  Scenario: Every listed service exists
    When the client asks for the authentication services
    Then the status is 200
    And every listed service is known
