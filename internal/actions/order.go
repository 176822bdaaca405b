// Package actions changes the state of a platform as an environment file says, notes each change before it is made, and
// puts everything back.
//
// Start with [Keeper]: Do makes a change, PutBack undoes all of them in the reverse order. Each change is in a journal
// (internal/journal) before it is made, so that agstest restore can put back the changes of a killed run. A [Door] is
// the way to the platform: a command or a request of the file, or the preset adm.
package actions

import (
	"context"
	"fmt"
	"strconv"
)

// Kind is a kind of change, by its key in the environment file.
type Kind string

// The kinds.
const (
	Suspend    Kind = "suspend"
	Restrict   Kind = "restrict"
	Cancel     Kind = "cancel"
	Reactivate Kind = "reactivate"
	Disable    Kind = "disable"
	Enable     Kind = "enable"
	Delete     Kind = "delete"
	Limit      Kind = "limit"
	VPN        Kind = "vpn"
	Geo        Kind = "geo"
	List       Kind = "list"
	Clear      Kind = "clear"
)

// Order is one thing to be done.
type Order struct {
	Kind      Kind   `json:"kind"`
	Tenant    string `json:"tenant,omitempty"`
	AccountID string `json:"accountId,omitempty"`
	ClientID  string `json:"clientId,omitempty"`
	Limit     int    `json:"limit,omitempty"`
	State     string `json:"state,omitempty"` // of a switch: on or off
}

// Door carries an order out. Of List it gives the ids of devices, of any other nothing.
type Door func(ctx context.Context, o Order) ([]string, error)

// String is the order in words, with the ids that it is about.
func (o Order) String() string {
	switch o.Kind {
	case Disable, Enable, Delete:
		return fmt.Sprintf("%s the device %s", o.Kind, o.ClientID)
	case Limit:
		return fmt.Sprintf("set the limit of the account %s to %d devices", o.AccountID, o.Limit)
	case VPN:
		return "switch the blocking of VPNs " + o.State
	case Geo:
		return "switch the blocking of locations " + o.State
	case List:
		return "list the devices of the account " + o.AccountID
	case Clear:
		return "clear the devices of the account " + o.AccountID
	}
	return fmt.Sprintf("%s the account %s", o.Kind, o.AccountID)
}

// values returns the values of the names in braces.
func (o Order) values() map[string]string {
	return map[string]string{
		"{accountId}": o.AccountID, "{clientId}": o.ClientID, "{tenant}": o.Tenant, "{limit}": strconv.Itoa(o.Limit),
		"{state}": o.State,
	}
}
