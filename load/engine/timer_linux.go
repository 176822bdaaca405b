package engine

import (
	"context"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"agstest/internal/failure"
)

// newPreciseTimer returns a timer of the kernel (timerfd). The runtime's poller waits for it as for sockets: it wakes
// within some ten microseconds and holds no thread and no core meanwhile. If the kernel has none, the runtime's timer
// stands in.
func newPreciseTimer() preciseTimer {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return &sleepTimer{}
	}
	file := os.NewFile(uintptr(fd), "timerfd")
	if file.SetReadDeadline(time.Time{}) != nil { // the poller does not take it
		file.Close()
		return &sleepTimer{}
	}
	return &kernelTimer{fd: fd, file: file}
}

type kernelTimer struct {
	fd       int
	file     *os.File
	watching context.Context // whose end interrupts the read
	unwatch  func() bool
}

func (k *kernelTimer) sleep(ctx context.Context, d time.Duration) {
	if d <= 0 || ctx.Err() != nil {
		return
	}
	if k.watching != ctx {
		k.stopWatching()
		k.watching = ctx
		k.unwatch = context.AfterFunc(ctx, func() {
			defer failure.Guard()
			k.file.SetReadDeadline(time.Unix(1, 0))
		})
	}
	value := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	if err := unix.TimerfdSettime(k.fd, 0, &value, nil); err != nil {
		(&sleepTimer{}).sleep(ctx, d)
		return
	}
	var expirations [8]byte
	k.file.Read(expirations[:])
}

func (k *kernelTimer) stopWatching() {
	if k.unwatch != nil {
		k.unwatch()
	}
}

func (k *kernelTimer) close() {
	k.stopWatching()
	k.file.Close()
}
