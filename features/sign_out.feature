@sign-out
Feature: A client signs out
  POST /ags/signOut takes the access token in the header Authorization. The device stays known: the client signs on again with its
  clientId. The page "Signing out with SSO" describes it.

  @OUT-01
  Scenario: A client signs out
    Given a client that is signed on
    When the client signs out
    Then the status is 200

  @OUT-10
  Scenario: What the answer holds
    Given a client that is signed on
    When the client signs out
    Then the status is 200
    And it is recorded what the answer holds

  @OUT-02
  Scenario: No token
    Given a client that is signed on
    And the next request has no header "Authorization"
    When the client signs out
    Then the service refuses

  @OUT-03
  Scenario: A token that nobody issued
    Given a client that is signed on
    And the next request presents a token that nobody issued
    When the client signs out
    Then the status is 400, 401 or 403, or with a warning 404 or 422

  @OUT-04
  Scenario: The authentication service must be named
    Given a client that is signed on
    And the next request has no header "x-auth-service-id"
    When the client signs out
    Then the status is 400, 401, 403 or 404, or with a warning 200, 409 or 422

  @OUT-05
  Scenario: A body that is not JSON
    Given a client that is signed on
    And the next request has this body:
      """
      {"parameters":[
      """
    When the client signs out
    Then the status is 400, or with a warning 200

  @OUT-06
  Scenario: The client signs on again
    Given a client that is signed on
    When the client signs out
    Then the status is 200
    When the client signs on with a session token and its clientId
    Then the status is 201
    And the client_id of the answer is the clientId of the request

  @OUT-06
  Scenario: Signing on again creates no device
    Given a client that is signed on
    And the devices of the account are counted
    When the client signs out
    Then the status is 200
    When the client signs on with a session token and its clientId
    Then the status is 201
    And the account has no more device

  @OUT-07
  Scenario: The refresh token after signing out
    Given a client that is signed on
    When the client signs out
    Then the status is 200
    When the client refreshes its tokens
    Then it is recorded how the service answers

  @OUT-08
  Scenario: Signing out twice
    Given a client that is signed on
    When the client signs out
    Then the status is 200
    When the client signs out
    Then it is recorded how the service answers

  @OUT-09
  Scenario: Another client of the account stays signed on
    Given a client that is signed on
    And a second client of the account that is signed on
    When the first client signs out
    Then the status is 200
    When the second client refreshes its tokens
    Then the status is 200

  @OUT-09
  Scenario: A sign-out that names another client is that of its token
    Given a client that is signed on
    And a second client of the account that is signed on
    And the next request names the second client
    When the first client signs out
    Then the status is 200, 400, 401, 403 or 404
    When the second client refreshes its tokens
    Then the status is 200
