@tokens
Feature: The tokens of a client
  A sign-on and a refresh answer with an access token and a refresh token. Both are signed JSON Web Tokens whose claims and times fit each
  other and the answer around them. The judge holds every pair of tokens that comes in any scenario against these rules; the scenarios
  here spell them out. They follow from the sample on the page "Signing in with a session token".

  Background:
    Given an account in good standing
    And a device of the account
    When the client signs on with a session token and its clientId
    Then the status is 201

  Rule: Form and signature

    @TOK-01
    Scenario: Three parts
      Then both tokens are compact JWS of three parts in base64url without padding

    @TOK-02
    Scenario: The header
      Then the header of both tokens has a text "alg"
      And the header of both tokens has "typ" with the value "JWT"
      And as a rule, the header of both tokens has a text "kid"

    @TOK-03
    Scenario: The signature
      Then both tokens are signed
      And as a rule, the header of both tokens has "alg" with the value "HS256"

    @TOK-26
    Scenario: The key
      Then no key that others know fits the signature of a token

  Rule: Claims

    @TOK-04
    Scenario: The access token says what it is
      Then the access token has the claim "typ" with the value "DevAuthN"

    @TOK-05
    Scenario: The refresh token says what it is
      Then the refresh token has the claim "typ" with the value "RefreshAuthN"

    @TOK-06
    Scenario: The version of the claims
      Then the access token has the claim "ver" with the value "1.0"
      And the refresh token has the claim "ver" with the value "1.0"

    @TOK-07
    Scenario: The claims of the access token
      Then the access token has these claims:
        | claim     | kind              |
        | typ       | string, not empty |
        | tenantId  | string, not empty |
        | accountId | string, not empty |
        | deviceId  | string, not empty |
        | exp       | integer, positive |
      And as a rule, the access token has these claims:
        | claim                | kind           |
        | ver                  | string         |
        | fixed_exp            | integer        |
        | userId               | string         |
        | accountProfileId     | string         |
        | jti                  | string         |
        | sessionControl       | object         |
        | geoBlockExempt       | boolean        |
        | onNetwork            | boolean        |
        | billingCountryCode   | string         |
        | filteringInformation | object         |
        | blockingInformation  | object         |
        | parentalControl      | null or object |
        | playoutDeviceClass   | null or string |

    @TOK-08
    Scenario: The claims of the refresh token
      Then the refresh token has these claims:
        | claim     | kind              |
        | typ       | string, not empty |
        | tenantId  | string, not empty |
        | accountId | string, not empty |
        | deviceId  | string, not empty |
        | exp       | integer, positive |
        | fixed_exp | integer, positive |
      And as a rule, the refresh token has these claims:
        | claim            | kind   |
        | ver              | string |
        | userId           | string |
        | accountProfileId | string |

    @TOK-09
    Scenario: What only the access token needs to say
      Then as a rule, the refresh token has none of the claims geoBlockExempt, onNetwork, billingCountryCode, filteringInformation, blockingInformation, parentalControl, playoutDeviceClass

    @TOK-19
    Scenario: The id of a token is a text
      Then no claim jti is a number

    @TOK-20
    Scenario: How many sessions the account may have
      Then sessionControl holds a whole number maxSessions and a boolean sessionControlEnabled

  Rule: Times

    @TOK-10
    Scenario: Times are whole seconds
      Then exp and fixed_exp of both tokens are whole seconds that fit 32 bits

    @TOK-11
    Scenario: The moment of issue
      Then both tokens and the lifetimes of the answer tell the same moment of issue

    @TOK-12
    Scenario: The expiries
      Then the expiries of the tokens differ as the lifetimes of the answer do

    @TOK-13
    Scenario: The end of the session
      Then the claim fixed_exp is the same in both tokens

    @TOK-14
    Scenario: What ends first
      Then the access token ends before the refresh token, and that not after fixed_exp

    @TOK-17
    Scenario: When the tokens were issued
      Then the tokens were issued while the call was under way

    @TOK-25
    Scenario: How long an access token is good
      Then the access token lives for a week at most

    @TOK-27
    Scenario: How long a session can go on
      Then the session ends within 400 days

  Rule: The two tokens and the answer belong together

    @TOK-15
    Scenario: What both tokens say
      Then the claims tenantId, accountId, userId, deviceId, fixed_exp are the same in both tokens
      And as a rule, the claims jti, accountProfileId, sessionControl are the same in both tokens

    @TOK-16
    Scenario: What the answer says too
      Then the body and the claims name the same account and client

    @TOK-18
    Scenario: The kind of token
      Then the member "token_type" is "bearer", in any case

    @TOK-22
    Scenario: The lifetimes are numbers
      Then the answer is a JSON object with these members:
        | member                   | kind              |
        | expires_in               | integer, positive |
        | refresh_expires_in       | integer, positive |
        | fixed_refresh_expires_in | integer, positive |

    @TOK-21
    Scenario: Two sign-ons have two ids
      When the client signs on with a session token and its clientId
      Then the status is 201
      And it is recorded whether the claim jti differs from before

    @TOK-23
    Scenario: The class of the device
      When the client signs on with a session token for the first time with this deviceInformation:
        """
        {"device":{"screen":{"height":1080,"width":1920},"hardware":{"model":"UE55","manufacturer":"Samsung","type":"Tizen"},
         "OS":{"type":"Tizen","version":"7.0"}},"playoutDeviceClass":"smartTV"}
        """
      Then the status is 201
      And the access token has the claim "playoutDeviceClass" with the value "smartTV"
