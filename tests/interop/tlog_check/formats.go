package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// checkpoint is the body of a C2SP tlog-checkpoint.
type checkpoint struct {
	origin string
	size   int64
	root   tlog.Hash
}

func (c checkpoint) tree() tlog.Tree { return tlog.Tree{N: c.size, Hash: c.root} }

func parseCheckpoint(text string) (checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 {
		return checkpoint{}, errors.New("fewer than three lines")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return checkpoint{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return checkpoint{lines[0], size, root}, err
}

func logVerifier(vkey string) note.Verifier {
	verifier, err := note.NewVerifier(vkey)
	must(err, "verify key of the log")
	return verifier
}

func tryCheckpoint(signed []byte, verifier note.Verifier) (checkpoint, error) {
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return checkpoint{}, err
	}
	c, err := parseCheckpoint(opened.Text)
	if err == nil && c.origin != verifier.Name() {
		err = errors.New("of another log")
	}
	return c, err
}

func openCheckpoint(signed []byte, verifier note.Verifier) checkpoint {
	c, err := tryCheckpoint(signed, verifier)
	must(err, "checkpoint")
	return c
}

// proof is a C2SP tlog-proof.
type proof struct {
	entry  []byte
	index  int64
	hashes tlog.RecordProof
	note   []byte
}

// cutPrefix is strings.CutPrefix, which Go 1.19 has not.
func cutPrefix(text, prefix string) (string, bool) {
	return strings.TrimPrefix(text, prefix), strings.HasPrefix(text, prefix)
}

func parseProof(text []byte) proof {
	var p proof
	head, signed, found := bytes.Cut(text, []byte("\n\n"))
	check(found, "a proof has no blank line")
	p.note = signed
	lines := strings.Split(string(head), "\n")
	check(len(lines) >= 3 && lines[0] == "c2sp.org/tlog-proof@v1", "a proof begins with %q", lines[0])
	extra, found := cutPrefix(lines[1], "extra ")
	check(found, "a proof has no entry")
	var err error
	p.entry, err = base64.StdEncoding.DecodeString(extra)
	must(err, "entry of a proof")
	index, found := cutPrefix(lines[2], "index ")
	check(found, "a proof has no index")
	p.index, err = strconv.ParseInt(index, 10, 64)
	must(err, "index of a proof")
	p.hashes = tlog.RecordProof(parseHashes(strings.Join(lines[3:], "\n")))
	return p
}

func (p proof) verify(c checkpoint) error {
	return tlog.CheckRecord(p.hashes, c.size, c.root, p.index, tlog.RecordHash(p.entry))
}

func parseHashes(lines string) []tlog.Hash {
	var hashes []tlog.Hash
	for _, line := range strings.Fields(lines) {
		hash, err := tlog.ParseHash(line)
		must(err, "hash of a proof")
		hashes = append(hashes, hash)
	}
	return hashes
}

func checkGrowth(hashes []tlog.Hash, old, now checkpoint) error {
	if old.size == now.size {
		// RFC 6962 has no proof between equal sizes; x/mod refuses to check one.
		if len(hashes) != 0 || old.root != now.root {
			return errors.New("equal sizes have equal roots and an empty proof")
		}
		return nil
	}
	return tlog.CheckTree(tlog.TreeProof(hashes), now.size, now.root, old.size, old.root)
}

// sameNote tells whether two notes differ only in bits of base64 that stand for nothing, at the end of
// a signature, which x/mod does not look at.
func sameNote(a, b []byte) bool {
	linesA, linesB := strings.Split(string(a), "\n"), strings.Split(string(b), "\n")
	if len(linesA) != len(linesB) {
		return false
	}
	for i := range linesA {
		if linesA[i] == linesB[i] {
			continue
		}
		wordsA, wordsB := strings.Split(linesA[i], " "), strings.Split(linesB[i], " ")
		if len(wordsA) != 3 || len(wordsB) != 3 || wordsA[0] != wordsB[0] || wordsA[1] != wordsB[1] {
			return false
		}
		bytesA, errA := base64.StdEncoding.DecodeString(wordsA[2])
		bytesB, errB := base64.StdEncoding.DecodeString(wordsB[2])
		if errA != nil || errB != nil || !bytes.Equal(bytesA, bytesB) {
			return false
		}
	}
	return true
}

// cosignatureVerifier is a note.Verifier for C2SP cosignature/v1 (type 04), which x/mod has not.
type cosignatureVerifier struct {
	name string
	hash uint32
	key  ed25519.PublicKey
	when *uint64
}

func (v cosignatureVerifier) Name() string    { return v.name }
func (v cosignatureVerifier) KeyHash() uint32 { return v.hash }
func (v cosignatureVerifier) Verify(message, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	seconds := binary.BigEndian.Uint64(signature)
	*v.when = seconds
	cosigned := fmt.Sprintf("cosignature/v1\ntime %d\n%s", seconds, message)
	return ed25519.Verify(v.key, []byte(cosigned), signature[8:])
}

func newCosignatureVerifier(vkey string) cosignatureVerifier {
	parts := strings.SplitN(vkey, "+", 3)
	check(len(parts) == 3, "verify key of a witness %q", vkey)
	typed, err := base64.StdEncoding.DecodeString(parts[2])
	must(err, "verify key of a witness")
	check(len(typed) == 1+ed25519.PublicKeySize && typed[0] == 4, "type of a witness's key")
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), typed...))
	hash := binary.BigEndian.Uint32(sum[:])
	check(fmt.Sprintf("%08x", hash) == parts[1], "id of a witness's key")
	return cosignatureVerifier{parts[0], hash, typed[1:], new(uint64)}
}

// checkCosigned verifies a checkpoint that log and witness signed; when the witness did.
func checkCosigned(signed []byte, logKey, witnessKey string) uint64 {
	log := logVerifier(logKey)
	witness := newCosignatureVerifier(witnessKey)
	opened, err := note.Open(signed, note.VerifierList(log, witness))
	must(err, "cosigned checkpoint")
	check(len(opened.Sigs) == 2 && len(opened.UnverifiedSigs) == 0,
		"%d signatures of two are known", len(opened.Sigs))
	_, err = parseCheckpoint(opened.Text)
	must(err, "cosigned checkpoint")

	// Another time, another text, another key: each is refused.
	for at := 0; at < len(signed); at++ {
		forged := append([]byte(nil), signed...)
		forged[at] ^= 1
		if sameNote(signed, forged) {
			continue
		}
		opened, err := note.Open(forged, note.VerifierList(log, witness))
		check(err != nil || len(opened.Sigs) < 2, "a cosigned checkpoint forged at byte %d passes", at)
	}
	return *witness.when
}
