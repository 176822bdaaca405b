@register
Feature: An installer activates a TVkey device
  POST /ags/register/{type} takes the credentials of the user; discovery tells which types there are. Several matching accounts are
  offered as a list. The page "Activating a TVkey device with SSO" describes it.

  @REG-01
  Scenario: One account matches
    Given a TVkey user with one account
    When the installer registers the device
    Then the status is 201

  @REG-05
  Scenario: What the answer holds
    Given a TVkey user with one account
    When the installer registers the device
    Then the status is 201
    And it is recorded what the answer holds

  @REG-02
  Scenario: Several accounts match
    Given a TVkey user with several accounts
    When the installer registers the device
    Then the status is 300
    And the answer is a JSON object with these members:
      | member   | kind  |
      | accounts | array |
    And the list offers at least 2 accounts

  @REG-03
  Scenario: A body without parameters
    Given a TVkey user with one account
    And the next request has no member "parameters"
    When the installer registers the device
    Then the status is 400, or with a warning 401, 403, 404 or 422

  @REG-03
  Scenario: A body that is not JSON
    Given a TVkey user with one account
    And the next request has this body:
      """
      {"parameters":[{"name":"username"
      """
    When the installer registers the device
    Then the status is 400

  @REG-03
  Scenario: A wrong password
    Given a TVkey user with one account
    And the next request has a wrong password
    When the installer registers the device
    Then the status is 401, or with a warning 400, 403, 404 or 422

  @REG-03
  Scenario: A user whose account is suspended
    Given a TVkey user with one account
    When the operator suspends the account
    And the installer registers the device
    Then the status is 403

  @REG-04
  Scenario: A type that discovery does not offer
    Given a TVkey user with one account
    When the installer registers the device with a type that discovery does not offer
    Then the service refuses

  @REG-08
  Scenario: The authentication service must be named
    Given a TVkey user with one account
    And the next request has no header "x-auth-service-id"
    When the installer registers the device
    Then the service refuses
