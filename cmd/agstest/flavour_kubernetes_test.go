//go:build kubernetes

package main

const flavour = "kubernetes"
