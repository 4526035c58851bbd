// tlog_check verifies what Cloison's journal writes with golang.org/x/mod (sumdb/note, sumdb/tlog),
// and sees to it that what was forged is refused.
//
//	tlog_check journals DIRECTORY      all that interop_journals has made; prints counts as JSON
//	tlog_check log EXPORT VKEY         a checkpoint, every entry and some proofs of one export
//	tlog_check proof FILE VKEY         a tlog-proof
//	tlog_check consistency FILE OLD-NOTE NEW-NOTE VKEY
//	tlog_check cosigned NOTE VKEY WITNESS-VKEY
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// check ends the program with what was expected, unless it holds.
func check(holds bool, format string, arguments ...interface{}) {
	if !holds {
		fmt.Fprintf(os.Stderr, "tlog_check: "+format+"\n", arguments...)
		os.Exit(1)
	}
}

func must(err error, what string) {
	check(err == nil, "%s: %v", what, err)
}

func read(parts ...string) []byte {
	content, err := os.ReadFile(filepath.Join(parts...))
	must(err, "read")
	return content
}

func line(parts ...string) string {
	return strings.TrimSuffix(string(read(parts...)), "\n")
}

func main() {
	arguments := os.Args[1:]
	check(len(arguments) >= 2, "too few arguments")
	var report interface{}
	switch what := arguments[0]; {
	case what == "journals" && len(arguments) == 2:
		report = checkJournals(arguments[1])
	case what == "log" && len(arguments) == 3:
		report = checkLog(arguments[1], line(arguments[2]))
	case what == "proof" && len(arguments) == 3:
		proof := parseProof(read(arguments[1]))
		must(proof.verify(openCheckpoint(proof.note, logVerifier(line(arguments[2])))), "proof")
		report = map[string]int64{"index": proof.index}
	case what == "consistency" && len(arguments) == 5:
		verifier := logVerifier(line(arguments[4]))
		old := openCheckpoint(read(arguments[2]), verifier)
		now := openCheckpoint(read(arguments[3]), verifier)
		must(checkGrowth(parseHashes(string(read(arguments[1]))), old, now), "consistency")
		report = map[string]int64{"old": old.size, "new": now.size}
	case what == "cosigned" && len(arguments) == 4:
		seconds := checkCosigned(read(arguments[1]), line(arguments[2]), line(arguments[3]))
		report = map[string]uint64{"time": seconds}
	default:
		check(false, "unknown arguments %q", arguments)
	}
	out, err := json.Marshal(report)
	must(err, "report")
	fmt.Println(string(out))
}
