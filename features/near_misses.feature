@near-misses
Feature: What is nearly right is wrong
  Session tokens, tokens, passwords, the names of services and clients must match exactly. A service that compares only a part of them, or
  overlooks case, lets in who has something similar. Each scenario sends the documented request, which is accepted, and then the same
  request with one value that resembles the right one; the first of them twice, since what is refused once is refused again.

  Rule: Values that must match

    @SOST-14
    Scenario: Session tokens
      Given everything that signOnWithSessionToken needs
      When near misses of the session token are sent to signOnWithSessionToken
      Then each was refused

    @SOST-14
    Scenario Outline: The <kind> token of a client is no session token
      Given a client that is signed on
      And the <kind> token of the client stands in place of the session token
      When the client signs on with a session token and its clientId
      Then the service refuses

      Examples:
        | kind    |
        | access  |
        | refresh |

    @SOST-14
    Scenario: The token of a list of accounts is no session token
      Given a user with several accounts
      When the user signs on with the credentials for the first time
      Then the status is 300
      Given an account in good standing
      And the userAccountToken of the list stands in place of the session token
      When the client signs on with a session token for the first time
      Then the service refuses

    @SOST-14
    Scenario: An OperatorAuthToken is no session token
      Given an account in good standing
      And a device of the account
      And an OperatorAuthToken stands in place of the session token
      When the client signs on with a session token and its clientId
      Then the service refuses

    @SOST-14
    Scenario: Another session token under the same correlation id
      Given all requests have the same correlation id
      And an account in good standing
      And a device of the account
      When the client signs on with a session token and its clientId
      Then the status is 201
      Given a session token that was never issued
      When the client signs on with a session token and its clientId
      Then the service refuses

    @SOST-32
    Scenario Outline: A device of another account, which is named in <place>
      Given an account in good standing
      And a device of another account
      And the next request names the account of that device in <place>
      When the client signs on with a session token and its clientId
      Then the service refuses

      Examples:
        | place       |
        | a member    |
        | a parameter |
        | a header    |
        | the query   |

    @SOST-32
    Scenario Outline: A device of another account, <place> one of its own
      A service that looks at one of two members of the same name and goes on with the other lets a stranger's device in.

      Given an account in good standing
      And a device of the account
      And a device of another account
      And the next request names that device <place> one of its own
      When the client signs on with a session token and its clientId
      Then no tokens of that account or device come

      Examples:
        | place  |
        | before |
        | behind |

    @SSO-16
    Scenario Outline: A device of another account, <place> one of its own, with credentials
      Given a user with one account
      And a device of the account
      And a device of another account
      And the next request names that device <place> one of its own
      When the user signs on with the credentials and the clientId
      Then no tokens of that account or device come

      Examples:
        | place  |
        | before |
        | behind |

    @SSO-16
    Scenario Outline: A sign-on with credentials whose <part> names another account and device
      Given a user with one account
      And a device of the account
      And the next request names the account and device of somebody else in its <part>
      When the user signs on with the credentials and the clientId
      Then no tokens of that account or device come

      Examples:
        | part |
        | body |
        | head |

    @SUB-09
    Scenario: An account is picked by a request that names another one
      Given a user with several accounts
      When the user signs on with the credentials for the first time
      Then the status is 300
      When the user picks account 1
      And the user picks account 1 again as the device that it got
      Given the next request names the account and device of somebody else in its body and head
      When the user picks account 1 again as the device that it got
      Then no tokens of that account or device come

    @GST-17
    Scenario Outline: A head-end system whose request names another account in its <part>
      Given an account in good standing
      And a device of the account
      And the next request names the account and device of somebody else in its <part>
      When the head-end system asks for a session token
      Then a session token that comes is of the account of the OperatorAuthToken

      Examples:
        | part |
        | body |
        | head |

    @SOST-06
    Scenario: Names of authentication services
      Given everything that signOnWithSessionToken needs
      When near misses of the authentication service are sent to signOnWithSessionToken
      Then each was refused

    @SOST-19
    Scenario: Client ids, with a session token
      Given everything that signOnWithSessionToken needs
      When near misses of the clientId are sent to signOnWithSessionToken
      Then each was refused

    @SSO-10
    Scenario: Client ids, with credentials
      Given everything that signOn needs
      When near misses of the clientId are sent to signOn
      Then each was refused

    Scenario Outline: Tenants at <operation>
      Given everything that <operation> needs
      When near misses of the tenant are sent to <operation>
      Then each was refused

      @FLOW-11
      Examples:
        | operation              |
        | signOnWithSessionToken |
        | signOn                 |
        | subsequentSignOn       |
        | refresh                |
        | signOut                |
        | register               |
        | subsequentRegister     |

      @GST-10
      Examples:
        | operation       |
        | getSessionToken |

    @SUB-03
    Scenario: User tokens at subsequentSignOn
      Given everything that subsequentSignOn needs
      When near misses of the User-Token are sent to subsequentSignOn
      Then each was refused

    @REG-07
    Scenario: A session token is no User-Token at subsequentRegister
      Given a client that is signed on
      And a TVkey user with several accounts
      When the installer registers the device
      Then the status is 300
      Given a session token stands in place of the User-Token
      When the installer picks account 1
      Then the service refuses

    @SUB-03
    Scenario: An OperatorAuthToken is no User-Token
      Given a user with several accounts
      When the user signs on with the credentials for the first time
      Then the status is 300
      Given an OperatorAuthToken stands in place of the User-Token
      When the user picks account 1
      Then the service refuses

    @SUB-03
    Scenario: A session token is no User-Token
      Given a user with several accounts
      When the user signs on with the credentials for the first time
      Then the status is 300
      Given a session token stands in place of the User-Token
      When the user picks account 1
      Then the service refuses

    @SUB-03
    Scenario Outline: The <kind> token of a client is no User-Token
      Given a user with several accounts
      When the user signs on with the credentials for the first time
      Then the status is 300
      When the user picks account 1
      Then the status is 201
      Given the <kind> token of the client stands in place of the User-Token
      When the user picks account 2
      Then the service refuses

      Examples:
        | kind    |
        | access  |
        | refresh |

    @REG-07
    Scenario: User tokens at subsequentRegister
      Given everything that subsequentRegister needs
      When near misses of the User-Token are sent to subsequentRegister
      Then each was refused

    @REG-07
    Scenario Outline: The <kind> token of a client is no User-Token at subsequentRegister
      Given a client that is signed on
      And a TVkey user with several accounts
      When the installer registers the device
      Then the status is 300
      Given the <kind> token of the client stands in place of the User-Token
      When the installer picks account 1
      Then the service refuses

      Examples:
        | kind    |
        | access  |
        | refresh |

    @REG-04
    Scenario: Types of registration
      Given everything that register needs
      When near misses of the type of registration are sent to register
      Then each was refused

    @SSO-08
    Scenario Outline: The <what> at signOn
      Given everything that signOn needs
      When near misses of the <what> are sent to signOn
      Then each was refused

      Examples:
        | what      |
        | password  |
        | user name |

    @REG-03
    Scenario Outline: The <what> at register
      Given everything that register needs
      When near misses of the <what> are sent to register
      Then each was refused

      Examples:
        | what      |
        | password  |
        | user name |

    @SOST-06
    Scenario Outline: Names of authentication services at <operation>
      Given everything that <operation> needs
      When near misses of the authentication service are sent to <operation>
      Then each was refused

      Examples:
        | operation          |
        | signOn             |
        | subsequentSignOn   |
        | getSessionToken    |
        | register           |
        | subsequentRegister |

    @SOST-06
    Scenario Outline: Names of authentication services at <operation>, which is shown a token of its own
      Given everything that <operation> needs
      When near misses of the authentication service are sent to <operation>
      Then as a rule, each was refused

      Examples:
        | operation |
        | refresh   |
        | signOut   |

  Rule: Signed tokens

    @REF-22
    Scenario: Refresh tokens that nobody issued like that
      Given everything that refresh needs
      When near misses of the token are sent to refresh
      Then each was refused

    @REF-05
    Scenario: A session token is no refresh token
      Given a client that is signed on
      And a session token stands in place of the token
      When the client refreshes its tokens
      Then the service refuses

    Scenario Outline: <what> is no token of a client at <call>
      Given a user with several accounts
      When the user signs on with the credentials for the first time
      Then the status is 300
      Given a client that is signed on
      And <what> stands in place of the token
      When the client <does>
      Then the service refuses

      @REF-05
      Examples:
        | what                             | call    | does                 |
        | the userAccountToken of the list | refresh | refreshes its tokens |
        | an OperatorAuthToken             | refresh | refreshes its tokens |

      @OUT-03
      Examples:
        | what                             | call    | does      |
        | the userAccountToken of the list | signOut | signs out |
        | an OperatorAuthToken             | signOut | signs out |

    @OUT-03
    Scenario: A session token is no access token
      Given a client that is signed on
      And a session token stands in place of the token
      When the client signs out
      Then the service refuses

    @REF-12
    Scenario Outline: A refresh that names another account and device in <place>
      Given an account in good standing
      And a device of another account
      And a client that is signed on
      And the next request names that account and device in <place>
      When the client refreshes its tokens
      Then no tokens of that account or device come

      Examples:
        | place      |
        | members    |
        | parameters |
        | headers    |
        | the query  |

    @OUT-03
    Scenario: Access tokens that nobody issued like that
      Given everything that signOut needs
      When near misses of the token are sent to signOut
      Then each was refused

    @OUT-03
    Scenario: A refresh token is no access token
      Given a client that is signed on
      And the next request has the header "Authorization" with the value "Bearer {refreshToken}"
      When the client signs out
      Then the service refuses

    @OUT-03
    Scenario: An access token past its time
      Given a client that is signed on
      When the access token of the client expires
      And the client signs out
      Then the service refuses

  Rule: The OperatorAuthToken

    @GST-04
    Scenario: A session token is no OperatorAuthToken
      Given an account in good standing
      And a session token stands in place of the OperatorAuthToken
      When the head-end system asks for a session token
      Then the service refuses

    @GST-04
    Scenario: The userAccountToken of a list is no OperatorAuthToken
      Given a user with several accounts
      When the user signs on with the credentials for the first time
      Then the status is 300
      Given an account in good standing
      And the userAccountToken of the list stands in place of the OperatorAuthToken
      When the head-end system asks for a session token
      Then the service refuses

    @GST-04
    Scenario: Tokens of the operator that nobody signed like that
      Given everything that getSessionToken needs
      When near misses of the OperatorAuthToken are sent to getSessionToken
      Then each was refused

    @GST-05
    Scenario: Without an end
      Given an account in good standing
      And the OperatorAuthToken has no claim "exp"
      When the head-end system asks for a session token
      Then the service refuses

    @GST-05
    Scenario: Ends
      Given everything that getSessionToken needs
      When near misses of the claim "exp" are sent to getSessionToken
      Then each was refused

    @GST-06
    Scenario: Without an audience
      Given an account in good standing
      And the OperatorAuthToken has no claim "aud"
      When the head-end system asks for a session token
      Then the service refuses

    @GST-07
    Scenario: Without a type
      Given an account in good standing
      And the OperatorAuthToken has no claim "typ"
      When the head-end system asks for a session token
      Then the service refuses

    @GST-09
    Scenario: Without an account
      Given an account in good standing
      And the OperatorAuthToken has no claim "OpfAccountId"
      When the head-end system asks for a session token
      Then the service refuses

    @GST-10
    Scenario: Without a tenant
      Given an account in good standing
      And the OperatorAuthToken has no claim "OpfTenantId"
      When the head-end system asks for a session token
      Then the service refuses

    @GST-06
    Scenario: Audiences
      Given everything that getSessionToken needs
      When near misses of the claim "aud" are sent to getSessionToken
      Then each was refused

    @GST-07
    Scenario: Types
      Given everything that getSessionToken needs
      When near misses of the claim "typ" are sent to getSessionToken
      Then each was refused

    @GST-09
    Scenario: Accounts
      Given everything that getSessionToken needs
      When near misses of the claim "OpfAccountId" are sent to getSessionToken
      Then each was refused

    @GST-10
    Scenario: Tenants of the operator
      Given everything that getSessionToken needs
      When near misses of the claim "OpfTenantId" are sent to getSessionToken
      Then each was refused
