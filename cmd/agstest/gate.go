package main

import "github.com/spf13/cobra"

func (p *program) gateCommand() *cobra.Command { return &cobra.Command{Use: "gate", Short: "x"} }
func (p *program) loadCommand() *cobra.Command { return &cobra.Command{Use: "load", Short: "x"} }
