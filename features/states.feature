@states
Feature: Each state at each call
  An account that is shut out is shut out at every call, whether its client is new or known, and so is a device. A service that looks at a
  state on one way in and not on the other lets people in who should be out.

  Rule: States of accounts

    Scenario Outline: A <state> account and a new client with a session token
      Given a <state> account
      When the client signs on with a session token for the first time
      Then the status is 403
      And the error code is <code>

      @DEV-08
      Examples:
        | state     | code  |
        | suspended | 20002 |

      @DEV-09
      Examples:
        | state     | code  |
        | cancelled | 20001 |

    Scenario Outline: A user whose account is <state>, and a known client
      Given a user whose account is <state>
      When the user signs on with the credentials and the clientId
      Then the status is 403
      And the error code is <code>

      @DEV-08
      Examples:
        | state     | code  |
        | suspended | 20002 |

      @DEV-09
      Examples:
        | state     | code  |
        | cancelled | 20001 |

    Scenario Outline: A user whose account is <state>, and a new client
      Given a user whose account is <state>
      When the user signs on with the credentials for the first time
      Then the status is 403
      And the error code is <code>

      @DEV-08
      Examples:
        | state     | code  |
        | suspended | 20002 |

      @DEV-09
      Examples:
        | state     | code  |
        | cancelled | 20001 |

    Scenario Outline: A user of several accounts picks the one that is <state>
      Given a user with several accounts
      When the user signs on with the credentials for the first time
      Then the status is 300
      When the user picks the account of the list that is <state>
      Then the status is 403
      And the error code is <code>

      @DEV-08
      Examples:
        | state     | code  |
        | suspended | 20002 |

      @DEV-09
      Examples:
        | state     | code  |
        | cancelled | 20001 |

      @DEV-03
      Examples:
        | state           | code  |
        | full of devices | 20007 |

    @REG-03
    Scenario Outline: A TVkey user whose account is <state>
      Given a TVkey user whose account is <state>
      When the installer registers the device
      Then the status is 403

      Examples:
        | state     |
        | suspended |
        | cancelled |

  Rule: States of devices

    Scenario Outline: A user with a <state> device
      Given a user with one account
      And a <state> device of the account
      When the user signs on with the credentials and the clientId
      Then the status is <status>
      And the error code is <code>

      @DEV-06
      Examples:
        | state    | status     | code  |
        | disabled | 403        | 20004 |

      @DEV-07
      Examples:
        | state    | status     | code  |
        | deleted  | 403 or 404 | 20003 |

    @DEV-11
    Scenario: A user with an inactive device
      Given a user with one account
      And an inactive device of the account
      When the user signs on with the credentials and the clientId
      Then the service refuses

    @DEV-12
    Scenario: A user with a device that is not approved
      Given a user with one account
      And an unapproved device of the account
      When the user signs on with the credentials and the clientId
      Then the status is 201

    @DEV-14
    Scenario: A user with a deleted device starts anew
      Given a user with one account
      And a deleted device of the account
      When the user signs on with the credentials and the clientId
      Then the service refuses
      When the user signs on with the credentials for the first time
      Then the status is 201
      And the client_id of the answer is new
