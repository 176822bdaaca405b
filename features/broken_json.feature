@broken-json
Feature: A body is JSON or it is refused
  Each scenario sends a body that would be right but for one thing, so that nothing else can be the reason of the refusal, and then the right
  one, which is accepted.

  @SOST-08
  Scenario: signOnWithSessionToken
    Given everything that signOnWithSessionToken needs
    When bodies that are broken in one place are sent to signOnWithSessionToken
    Then each was refused with 400

  @SSO-07
  Scenario: signOn
    Given everything that signOn needs
    When bodies that are broken in one place are sent to signOn
    Then each was refused with 400

  @SUB-06
  Scenario: subsequentSignOn
    Given everything that subsequentSignOn needs
    When bodies that are broken in one place are sent to subsequentSignOn
    Then each was refused with 400

  @GST-03
  Scenario: getSessionToken
    Given everything that getSessionToken needs
    When bodies that are broken in one place are sent to getSessionToken
    Then each was refused with 400

  @OUT-05
  Scenario: signOut
    Given everything that signOut needs
    When bodies that are broken in one place are sent to signOut
    Then each was refused with 400

  @REG-03
  Scenario: register
    Given everything that register needs
    When bodies that are broken in one place are sent to register
    Then each was refused with 400

  @ERR-08
  Scenario Outline: The call <operation>
    Given everything that <operation> needs
    When bodies that are broken in one place are sent to <operation>
    Then each was answered without a fault of the service

    Examples:
      | operation          |
      | refresh            |
      | subsequentRegister |
