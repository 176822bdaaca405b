@devices
Feature: Devices and the states of accounts
  An account has devices, each with a clientId. The operator limits their number, disables or deletes them, and suspends or cancels
  accounts; a sign-on heeds all that. The pages "First-time and n-th time sign-on", "Device limits" and "Sign-in error code management"
  describe it.

  Rule: First-time sign-ons make devices, others do not

    @DEV-01
    Scenario: The same deviceInformation again makes another device
      Given an account in good standing
      When the client signs on with a session token for the first time
      Then the status is 201
      When the client signs on with a session token for the first time
      Then the status is 201
      And the client_id of the answer is new

    @DEV-02
    Scenario: A sign-on with a clientId keeps the device
      Given an account in good standing
      And a device of the account
      When the client signs on with a session token and its clientId
      Then the status is 201
      And the client_id of the answer is the clientId of the request

    @DEV-02
    Scenario: A sign-on with a clientId makes no device
      Given an account in good standing
      And a device of the account
      And the devices of the account are counted
      When the client signs on with a session token and its clientId
      Then the status is 201
      And the account has no more device

    @DEV-22
    Scenario: A client that has lost its clientId starts anew
      Given an account in good standing
      And a device of the account
      When the client signs on with a session token for the first time
      Then the status is 201
      And the client_id of the answer is new

  Rule: Limits

    @DEV-03
    Scenario: One device too many
      Given an account that has as many devices as it may
      When the client signs on with a session token for the first time
      Then the status is 403
      And the error code is 20007

    @DEV-04
    Scenario: Known clients still sign on at the limit
      Given an account that has as many devices as it may
      And the account lets no further device in
      When the client signs on with a session token and its clientId
      Then the status is 201

    @DEV-03
    Scenario: One device too many, with credentials
      Given a user whose account has as many devices as it may
      When the user signs on with the credentials for the first time
      Then the status is 403
      And the error code is 20007

    @DEV-04
    Scenario: Known clients still sign on with credentials at the limit
      Given a user whose account has as many devices as it may
      And the user's account lets no further device in
      When the user signs on with the credentials and the clientId
      Then the status is 201

    @DEV-05
    Scenario: One device too many in a group
      Given an account whose device group is full
      When the client signs on with a session token for the first time
      Then the status is 403

    @DEV-13
    Scenario Outline: A device that is <state> leaves room for another
      Given an account that may have 1 device
      And a <state> device of the account
      When the client signs on with a session token for the first time
      Then the status is 201
      And a further device is refused, since the account has as many as it may

      Examples:
        | state    |
        | disabled |
        | inactive |

    @DEV-13
    Scenario: An account above its limit
      The operator lets an account have fewer devices than it has: they still sign on, and there is no room for another.

      Given an account that has 3 devices and may have 1
      When the client signs on with a session token and its clientId
      Then the status is 201
      And a further device is refused, since the account has as many as it may

    @DEV-13
    Scenario Outline: A disabled device leaves no room where the account <lies> its limit without it
      Given an account that has <has> devices and may have 1
      And the operator disables the device
      When the client signs on with a session token for the first time
      Then the status is 403
      And the error code is 20007

      Examples:
        | lies      | has |
        | is at     | 2   |
        | is above  | 3   |

  Rule: States of devices

    @DEV-06
    Scenario: A disabled device
      Given an account in good standing
      And a disabled device of the account
      When the client signs on with a session token and its clientId
      Then the status is 403
      And the error code is 20004

    @DEV-07
    Scenario: A deleted device
      Given an account in good standing
      And a deleted device of the account
      When the client signs on with a session token and its clientId
      Then the status is 403 or 404
      And the error code is 20003

    @DEV-11
    Scenario: An inactive device
      Given an account in good standing
      And an inactive device of the account
      When the client signs on with a session token and its clientId
      Then the service refuses

    @DEV-12
    Scenario: A device that is not approved
      Given an account in good standing
      And an unapproved device of the account
      When the client signs on with a session token and its clientId
      Then the status is 201

    @DEV-14
    Scenario: A deleted device starts anew
      Given an account in good standing
      And a deleted device of the account
      When the client signs on with a session token and its clientId
      Then the service refuses
      When the client signs on with a session token for the first time
      Then the status is 201
      And the client_id of the answer is new

  Rule: States of accounts

    @DEV-08
    Scenario: A suspended account
      Given a suspended account
      When the client signs on with a session token and its clientId
      Then the status is 403
      And the error code is 20002

    @DEV-09
    Scenario: A cancelled account
      Given a cancelled account
      When the client signs on with a session token and its clientId
      Then the status is 403
      And the error code is 20001

    @DEV-10
    Scenario: An account that was suspended comes back
      Given an account in good standing
      And a device of the account
      When the operator suspends the account
      And the client signs on with a session token and its clientId
      Then the status is 403
      When the operator reactivates the account
      And the client signs on with a session token and its clientId
      Then the status is 201

    @DEV-10
    Scenario: An account that was cancelled comes back
      Pages of other releases say that a cancelled account stays cancelled, so that is only a warning.

      Given an account in good standing
      And a device of the account
      When the operator cancels the account
      And the client signs on with a session token and its clientId
      Then the status is 403
      When the operator reactivates the account
      And the client signs on with a session token and its clientId
      Then the status is 201, or with a warning 403

    @DEV-19
    Scenario: A restricted account
      Given a restricted account
      When the client signs on with a session token and its clientId
      Then it is recorded how the service answers

    @DEV-23
    Scenario Outline: An account whose time <when>
      Accounts have a start and an end date. No page says what a sign-on before or after gets.

      Given an account whose time <when>
      When the client signs on with a session token and its clientId
      Then it is recorded how the service answers

      Examples:
        | when         |
        | is over      |
        | has not come |

    @DEV-20
    Scenario: A change is heeded within the time of an access token
      Given a client that is signed on
      When the operator suspends the account
      And the access token of the client expires
      And the client refreshes its tokens
      Then the status is 403
      When the client signs on with a session token and its clientId
      Then the status is 403

    @DEV-20
    Scenario: A change that is heeded at once
      Given a client that is signed on
      When the operator suspends the account
      And the client refreshes its tokens
      Then the change of the account is heeded, now or within the time of the access token

    @DEV-21
    Scenario: A refused caller and the number of devices
      Given an account in good standing
      And the devices of the account are counted
      And a caller in a blocked location
      When the client signs on with a session token for the first time
      Then the status is 403
      And it is recorded how many devices the account has gained

  Rule: What a new client tells of its device

    @DEV-15
    Scenario Outline: Values of deviceInformation may be <kind>
      Given an account in good standing
      When the client signs on with a session token for the first time with this deviceInformation:
        """
        {"device":{"screen":{"height":<height>,"width":<width>,"density":<density>},"hardware":{"model":"M1","manufacturer":"Maker","type":"Mobile"},
         "OS":{"type":"Android","version":<version>},"CPU":{"neon":<neon>,"frequency":<frequency>,"cores":<cores>},
         "GPU":{"frequency":null,"cores":null}},"playoutDeviceClass":"mobileDevice"}
        """
      Then the status is 201

      Examples:
        | kind    | height | width  | density | version | neon   | frequency | cores |
        | texts   | "2560" | "1440" | "560"   | "14"    | "true" | "2.9"     | "8"   |
        | numbers | 2560   | 1440   | 560     | 14      | true   | 2.9       | 8     |

    @DEV-16
    Scenario: A short deviceInformation
      Given an account in good standing
      When the client signs on with a session token for the first time with this deviceInformation:
        """
        {"playoutDeviceClass":"mobileDevice","device":{"screen":{"height":2560,"width":1440},
         "hardware":{"model":"M1","manufacturer":"Maker","type":"Mobile"},"OS":{"type":"Android","version":"14"}}}
        """
      Then the status is 201

    @DEV-24
    Scenario: Members of deviceInformation that the service does not know
      Apps of later releases tell more of their device. They should not be locked out by that.

      Given an account in good standing
      When the client signs on with a session token for the first time with this deviceInformation:
        """
        {"playoutDeviceClass":"mobileDevice","somethingElse":{"of":["no","importance"]},
         "securePlayer":{"codecs":["H264"],"streamings":["HLS"],"DRMs":["SSP"],"somethingElse":1},
         "device":{"screen":{"height":2560,"width":1440,"density":560},
         "hardware":{"model":"M1","manufacturer":"Maker","type":"Mobile","somethingElse":"of no importance"},"OS":{"type":"Android","version":"14"}}}
        """
      Then the status is 201

    @DEV-17
    Scenario Outline: The platform <platform>
      Given an account in good standing
      When the client signs on with a session token for the first time with this deviceInformation:
        """
        {"securePlayer":{"codecs":["H264"],"streamings":["HLS"],"DRMs":["SSP"]},
         "device":{"screen":{"height":1080,"width":1920,"density":160},"hardware":{"model":"M1","manufacturer":"<manufacturer>","type":"<type>"},
                   "OS":{"type":"<OS>","version":"<version>"},"CPU":{"neon":"true","frequency":"2.0","cores":"4"},"GPU":{"frequency":"1.0","cores":"2"}},
         "playoutDeviceClass":"<class>","msgPlatform":"<messages>","deviceType":"<deviceType>"}
        """
      Then the status is 201

      Examples:
        | platform       | messages | type     | manufacturer | OS         | version | deviceType | class         |
        | STB OpenTV OS  | fcm      | STB      | Maker        | OpenTV OS  | 5.4.1   | MANAGED    | setTopBox     |
        | STB Android    | fcm      | STB      | Maker        | Android    | 12      | OPEN       | setTopBox     |
        | Desktop        | fcm      | Browser  | Maker        | Windows 11 | 23H2    | OPEN       | desktop       |
        | Android phone  | fcm      | Mobile   | Maker        | Android    | 14      | OPEN       | mobileDevice  |
        | Android tablet | fcm      | Tablet   | Maker        | Android    | 13      | OPEN       | tablet        |
        | iPhone         | fcm      | Mobile   | Apple        | iOS        | 18.1    | OPEN       | mobileDevice  |
        | iPad           | fcm      | Tablet   | Apple        | iOS        | 17.4    | OPEN       | tablet        |
        | fireTV         | fcm      | fireTV   | Amazon       | Fire OS    | 8       | OPEN       | streamingBox  |
        | tvOS           | fcm      | Apple TV | Apple        | TVOS       | 18      | OPEN       | streamingBox  |
        | Samsung TV     | iot      | Tizen    | Samsung      | Tizen      | 7.0     | OPEN       | smartTV       |
        | LG TV          | iot      | WebOS    | LG           | WebOS      | 23      | OPEN       | smartTV       |
        | Xbox           | fcm      | XBox     | Microsoft    | Windows 10 | 10.0    | OPEN       | gameConsole   |
        | Roku           | fcm      | Roku     | Roku         | Roku OS    | 12.5    | OPEN       | streamingBox  |

    @DEV-18
    Scenario: An empty deviceInformation
      Given an account in good standing
      When the client signs on with a session token for the first time with this deviceInformation:
        """
        {}
        """
      Then it is recorded how the service answers
