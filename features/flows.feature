@flows
Feature: Whole flows
  What clients and operators do from the first call to the last, as the integration pages describe it.

  @FLOW-01
  Scenario: A user signs on, goes on, and signs out
    Given a user with one account
    When the client asks for the authentication services
    Then the status is 200
    When the user signs on with the credentials for the first time
    Then the status is 201
    And the tokens belong to the account, the client and the tenant of the request
    When the client refreshes its tokens
    Then the status is 200
    And the tokens belong to the account, the client and the tenant of the request
    When the client signs out
    Then the status is 200

  @FLOW-01
  Scenario: A user signs on and uses the platform
    Given a user with one account
    When the user signs on with the credentials for the first time
    Then the status is 201
    When the client asks for the devices of the account
    Then the status is 200

  @FLOW-02
  Scenario: A client comes back
    Given an account in good standing
    When the client signs on with a session token for the first time
    Then the status is 201
    When the client signs on with a session token and its clientId
    Then the status is 201
    And the client_id of the answer is the clientId of the request

  @FLOW-02
  Scenario: A client that comes back is no other device
    Given an account in good standing
    And the devices of the account are counted
    When the client signs on with a session token for the first time
    Then the status is 201
    And the account has one more device
    When the client signs on with a session token and its clientId
    Then the status is 201
    And the account has one more device

  @FLOW-02
  Scenario: A user who comes back with credentials is on no other device
    Given a user with one account
    When the user signs on with the credentials for the first time
    Then the status is 201
    Given the devices of the account are counted
    When the user signs on with the credentials and the clientId
    Then the status is 201
    And the client_id of the answer is the clientId of the request
    And the account has no more device

  @FLOW-03
  Scenario: A user picks one of several accounts
    Given a user with several accounts
    When the user signs on with the credentials for the first time
    Then the status is 300
    When the user picks account 1
    Then the status is 201
    And the body and the claims name the same account and client

  @FLOW-03 @alone
  Scenario: A user who has picked an account goes on with it
    A service may end the sessions of an account when somebody else signs on to it, so no other scenario does meanwhile.

    Given a user with several accounts
    When the user signs on with the credentials for the first time
    Then the status is 300
    When the user picks account 1
    Then the status is 201
    When the user picks account 1 again as the device that it got
    Then the status is 201
    And the body and the claims name the same account and client
    When the client refreshes its tokens
    Then the status is 200

  @FLOW-04
  Scenario: A head-end system lets a client in
    Given an account in good standing
    When the head-end system asks for a session token
    Then the status is 200
    Given the client takes over the session token
    When the client signs on with a session token for the first time
    Then the status is 201
    And the tokens belong to the account, the client and the tenant of the request
    When the head-end system asks for a session token
    Then the status is 200
    Given the client takes over the session token
    When the client signs on with a session token and its clientId
    Then the status is 201
    And the tokens belong to the account, the client and the tenant of the request

  @FLOW-05
  Scenario: A client refreshes until it stays away too long
    Given a client that is signed on
    When half of the time of the refresh token passes
    And the client refreshes its tokens
    Then the status is 200
    When half of the time of the refresh token passes
    And the client refreshes its tokens
    Then the status is 200
    When the refresh token of the client expires
    And the client refreshes its tokens
    Then the service refuses
    When the client signs on with a session token and its clientId
    Then the status is 201

  @FLOW-05
  Scenario: A client comes back after its refresh token has expired
    Given a client that is signed on
    When the client refreshes its tokens
    Then the status is 200
    Given a refresh token that has expired
    When the client refreshes its tokens
    Then the service refuses
    When the client signs on with a session token and its clientId
    Then the status is 201

  @FLOW-06
  Scenario: A session ends at fixed_exp
    Given a client that is signed on
    When the client keeps refreshing until the session must end
    And the client refreshes its tokens
    Then the status is 200
    And the refresh token does not outlive fixed_exp
    When the session of the client expires
    And the client refreshes its tokens
    Then the service refuses
    When the client signs on with a session token and its clientId
    Then the status is 201

  @FLOW-07
  Scenario: The operator suspends an account and lets it back in
    Given a client that is signed on
    When the operator suspends the account
    And the client refreshes its tokens
    Then the status is 403
    And the error code is 20002
    When the operator reactivates the account
    And the client signs on with a session token and its clientId
    Then the status is 201

  @FLOW-08
  Scenario: An installer picks one of several accounts
    Given a TVkey user with several accounts
    When the installer registers the device
    Then the status is 300
    When the installer picks account 2
    Then the status is 201

  @FLOW-09
  Scenario: A companion app lets a device in
    Given a client that is signed on
    When another device asks for a registration code
    And the client approves the registration code
    And the other device signs on with its activation token
    Then the status is 201
    And the tokens belong to the account of the client

  @FLOW-10
  Scenario: The refresh token is good for the platform's own refresh
    Given a client that is signed on
    When the client refreshes its tokens at the platform's identity service
    Then the status is 200, or with a warning 201
    And the claims accountId, deviceId, userId, tenantId are the same as before

  @TOK-24
  Scenario: The access token is good for other calls of the platform
    Given a client that is signed on
    When the client asks for the devices of the account
    Then it is recorded how the service answers

  @FLOW-11
  Scenario: Each tenant is told of its own services
    A cache that many callers share may give every tenant what the first one was told.

    When the client asks for the authentication services
    Then the status is 200
    Given another tenant with its service
    When the client asks for the authentication services
    Then the service of the tenant is listed

  @FLOW-11
  Scenario: A session token of one tenant is worth nothing at another
    Given an account in good standing
    And a session token of the account
    And the client moves to another tenant
    When the client signs on with a session token for the first time
    Then the service refuses

  @FLOW-11
  Scenario: A client of one tenant is unknown at another
    Given an account in good standing
    And a device of the account
    And an account of another tenant
    When the client signs on with a session token and its clientId
    Then the service refuses

  @FLOW-11 @SOST-23
  Scenario: A client of another tenant holds tokens of that tenant
    Given a client of another tenant that is signed on
    Then the tenantId of both tokens is the nv-tenant-id of the request
    When the client refreshes its tokens
    Then the status is 200
    And the tenantId of both tokens is the nv-tenant-id of the request
    When the client signs on with a session token and its clientId
    Then the status is 201

  @FLOW-11
  Scenario: A refresh token of one tenant is worth nothing at another
    Given a client that is signed on
    And the client moves to another tenant
    When the client refreshes its tokens
    Then the service refuses

  @FLOW-11
  Scenario: An access token of one tenant is worth nothing at another
    Given a client that is signed on
    And the client moves to another tenant
    When the client signs out
    Then the service refuses
