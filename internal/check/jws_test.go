package check

import (
	"math/rand/v2"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestTextsThatLookLikeAToken: what looks like a compact JWS is found as a pattern would find it.
func TestTextsThatLookLikeAToken(t *testing.T) {
	pattern := regexp.MustCompile(`[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*`)
	random := rand.New(rand.NewPCG(1, 2))
	parts := []string{"a", ".", ".", "-_0Zz9", "abcdefgh", "abcdefg", " ", `"`, "é", "eyJhbGciOiJIUzI1NiJ9"}
	for range 20000 {
		text := ""
		for range random.IntN(12) {
			text += parts[random.IntN(len(parts))]
		}
		for _, n := range []int{1, 20} {
			assert.Equal(t, pattern.FindAllString(text, n), jwsLike(text, n), text)
		}
	}
}

// TestMarksOfStackTraces: a pattern is looked for only where a mark stands, so each of its matches holds one.
func TestMarksOfStackTraces(t *testing.T) {
	for text, name := range map[string]string{
		"at com.example.Main.run(Main.java:12)":              "a Java stack trace",
		"at com.example.Main.run(Main.kt:12)":                "a Java stack trace",
		"at com.example.Main.run(Main.scala:1)":              "a Java stack trace",
		"at com.example.Main.run(Main.groovy:1)":             "a Java stack trace",
		"at sun.misc.Unsafe.park(Native Method)":             "a Java stack trace",
		"at sun.misc.Unsafe.park(Unknown Source)":            "a Java stack trace",
		"Caused by: java.lang.IllegalStateException":         "a Java stack trace",
		`at A.B.C(String s) in C:\x\Y.cs:line 12`:            "a .NET stack trace",
		"goroutine 1 [running]:":                             "a Go stack trace",
		"at Object.<anonymous> (/srv/app.js:10:15)":          "a JavaScript stack trace",
		"at Object.<anonymous> (/srv/app.mts:10:15)":         "a JavaScript stack trace",
		"Traceback (most recent call last)":                  "a Python stack trace",
		"ORA-00942: table or view does not exist":            "an SQL error",
		"SQLSTATE[42S02]":                                    "an SQL error",
		"java.sql.SQLException":                              "an SQL error",
		"com.mysql.jdbc.exceptions":                          "an SQL error",
		"org.postgresql.util.PSQLException":                  "an SQL error",
		"at that (time). Caused by: the caller; goroutine x": "",
	} {
		got := ""
		for _, s := range stackTraces {
			if s.shownIn(text) {
				got = s.name
			}
		}
		assert.Equal(t, name, got, text)
	}
}
