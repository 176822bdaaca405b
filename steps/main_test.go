package steps_test

import (
	"flag"
	"os"
	"runtime/debug"
	"testing"
)

// raceful are the tests that run scenarios side by side in every way there is, for the race detector. It makes
// everything several times slower, and the other tests look at verdicts and words, which are the same with it; "make
// test" runs all of them without it.
const raceful = "^Test(ParallelEqualsSerial|MockIsGreen|EvidenceIsOfItsScenario|" +
	"CancelledRunIsPartial|UnreachableService|SilenceIsWaitedForTwice|GeneratedRequestIsShrunkAndReplayed|SequenceIsShrunk|LiveService|WaitedOutAnswersAreNoted|" +
	"ClockThatIsSetIsNotTheServicesFault)$"

// TestMain collects garbage less often: hundreds of whole runs leave much of it, and memory is plenty.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	flag.Parse()
	if chosen := flag.Lookup("test.run"); underRace && chosen.Value.String() == "" {
		_ = chosen.Value.Set(raceful)
	}
	os.Exit(m.Run())
}
