@subsequent-register
Feature: An installer activates a TVkey device for one of several accounts
  POST /ags/subsequentRegister takes the userAccountToken of the picked account in the header User-Token. The page "Activating a TVkey
  device for a specific account" describes it.

  @REG-06
  Scenario: The installer picks an account
    Given a TVkey user with several accounts
    When the installer registers the device
    Then the status is 300
    When the installer picks account 1
    Then the status is 201

  @REG-07
  Scenario: No account is picked
    Given a TVkey user with several accounts
    When the installer registers the device
    Then the status is 300
    Given the next request has no header "User-Token"
    When the installer picks account 1
    Then the service refuses

  @REG-08
  Scenario: The authentication service must be named
    Given a TVkey user with several accounts
    When the installer registers the device
    Then the status is 300
    Given the next request has no header "x-auth-service-id"
    When the installer picks account 1
    Then the service refuses
