@odd-input
Feature: Odd but legal input
  Clients are written by many people in many languages. What they send may be odd and still be legal: the service reads it without a fault
  of its own, lets nobody in by it, and takes what is only written in another way for what it is. It is a fixed list for every call; what
  chance adds stands among the generated requests.

  Rule: What is odd is answered like any other request

    @ERR-07 @ERR-08 @DISC-01
    Scenario: servicediscovery
      Given everything that servicediscovery needs
      When odd requests are sent to servicediscovery
      Then each was answered in the documented form, and nobody was let in by it

    @ERR-07 @ERR-08 @SOST-09 @SOST-14 @SOST-19 @FLOW-11
    Scenario: signOnWithSessionToken
      Given everything that signOnWithSessionToken needs
      When odd requests are sent to signOnWithSessionToken
      Then each was answered in the documented form, and nobody was let in by it

    @ERR-07 @ERR-08 @SSO-07 @SSO-08 @SSO-10 @FLOW-11
    Scenario: signOn
      Given everything that signOn needs
      When odd requests are sent to signOn
      Then each was answered in the documented form, and nobody was let in by it

    @ERR-07 @ERR-08 @SUB-03 @FLOW-11
    Scenario: subsequentSignOn
      Given everything that subsequentSignOn needs
      When odd requests are sent to subsequentSignOn
      Then each was answered in the documented form, and nobody was let in by it

    @ERR-07 @ERR-08 @GST-03 @GST-04 @GST-10
    Scenario: getSessionToken
      Given everything that getSessionToken needs
      When odd requests are sent to getSessionToken
      Then each was answered in the documented form, and nobody was let in by it

    @ERR-07 @ERR-08 @REF-04 @REF-05
    Scenario: refresh
      Given everything that refresh needs
      When odd requests are sent to refresh
      Then each was answered in the documented form, and nobody was let in by it

    @ERR-07 @ERR-08 @OUT-02 @OUT-03
    Scenario: signOut
      Given everything that signOut needs
      When odd requests are sent to signOut
      Then each was answered in the documented form, and nobody was let in by it

    @ERR-07 @ERR-08 @REG-03
    Scenario: register
      Given everything that register needs
      When odd requests are sent to register
      Then each was answered in the documented form, and nobody was let in by it

    @ERR-07 @ERR-08 @REG-07
    Scenario: subsequentRegister
      Given everything that subsequentRegister needs
      When odd requests are sent to subsequentRegister
      Then each was answered in the documented form, and nobody was let in by it

  Rule: What is written in another way is the same

    @SOST-26 @SOST-28 @SOST-29
    Scenario: signOnWithSessionToken, as other clients write it
      Given everything that signOnWithSessionToken needs
      When requests that are odd but right are sent to signOnWithSessionToken
      Then each was accepted

    @DISC-01
    Scenario: servicediscovery, as other clients write it
      Given everything that servicediscovery needs
      When requests that are odd but right are sent to servicediscovery
      Then each was accepted

    @SSO-11
    Scenario: signOn, as other clients write it
      Given everything that signOn needs
      When requests that are odd but right are sent to signOn
      Then each was accepted

    @SUB-01
    Scenario: subsequentSignOn, as other clients write it
      Given everything that subsequentSignOn needs
      When requests that are odd but right are sent to subsequentSignOn
      Then each was accepted

    @GST-01
    Scenario: getSessionToken, as other clients write it
      Given everything that getSessionToken needs
      When requests that are odd but right are sent to getSessionToken
      Then each was accepted

    @REF-01
    Scenario: refresh, as other clients write it
      Given everything that refresh needs
      When requests that are odd but right are sent to refresh
      Then each was accepted

    @OUT-01
    Scenario: signOut, as other clients write it
      Given everything that signOut needs
      When requests that are odd but right are sent to signOut
      Then each was accepted

    @REG-01
    Scenario: register, as other clients write it
      Given everything that register needs
      When requests that are odd but right are sent to register
      Then each was accepted

    @REG-06
    Scenario: subsequentRegister, as other clients write it
      Given everything that subsequentRegister needs
      When requests that are odd but right are sent to subsequentRegister
      Then each was accepted

    @REF-01
    Scenario: One correlation id for a whole flow
      Given all requests have the same correlation id
      And an account in good standing
      And a device of the account
      When the head-end system asks for a session token
      Then the status is 200
      When the client takes over the session token
      And the client signs on with a session token and its clientId
      Then the status is 201
      When the client refreshes its tokens
      Then the status is 200
      When the client refreshes its tokens
      Then the status is 200
