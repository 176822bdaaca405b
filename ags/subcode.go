package ags

import "slices"

// SubCode is a numeric reason that comes with status 403 (the pages "Sign-in error code management" and "Error code
// management on clients").
type SubCode struct {
	Code    int
	Meaning string
}

// SubCodes are the codes that the pages explain. Others exist; the list is open.
var SubCodes = []SubCode{
	{20001, "the operator has cancelled the account"},
	{20002, "the operator has suspended the account"},
	{20003, "the operator has deleted the device"},
	{20004, "the operator has disabled the device"},
	{20007, "the account has its maximum number of devices"},
	{20018, "the caller uses a VPN or proxy"},
	{20019, "the caller is in a blacklisted location"},
	{20020, "the token failed its validity check"},
	{20021, "the caller uses a VPN or proxy at a first-time sign-on"},
	{20022, "the caller is in a restricted country at a first-time sign-on"},
	{20066, "the caller is in a geo-filtered location"},
}

// GatewayRefusal is the resultCode of the API gateway for an unusable token: with status 403, on legacy set-ups with
// status 200, which is an error all the same.
const GatewayRefusal = "99999:403"

// IsSubCode tells whether the pages explain a code.
func IsSubCode(code int) bool {
	return slices.ContainsFunc(SubCodes, func(s SubCode) bool { return s.Code == code })
}

// SubCodeMeaning returns the pages' explanation of a code; empty if they explain none like it.
func SubCodeMeaning(code int) string {
	for _, s := range SubCodes {
		if s.Code == code {
			return s.Meaning
		}
	}
	return ""
}
