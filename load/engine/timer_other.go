//go:build !linux

package engine

func newPreciseTimer() preciseTimer { return &sleepTimer{} }
