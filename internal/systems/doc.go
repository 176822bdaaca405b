// Package systems holds no program: its test keeps the code right for the systems that it is not tested on.
package systems
