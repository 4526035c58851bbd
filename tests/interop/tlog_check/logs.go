package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// tiles reads a directory of C2SP tlog-tiles for x/mod, whose paths have the tile's height in them.
type tiles struct {
	directory string
	tiles     map[string]tlog.Tile // What was read.
	flip      string               // If not empty, a bit of the first hash in that file reads wrong.
}

func newTiles(directory string) *tiles { return &tiles{directory, map[string]tlog.Tile{}, ""} }

func pathOf(tile tlog.Tile) string { return strings.Replace(tile.Path(), "tile/8/", "tile/", 1) }

func (t *tiles) Height() int                            { return 8 }
func (t *tiles) SaveTiles(_ []tlog.Tile, data [][]byte) {}
func (t *tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, tile := range wanted {
		path := pathOf(tile)
		content, err := os.ReadFile(filepath.Join(t.directory, path))
		if err != nil {
			return nil, err
		}
		if len(content) != 32*tile.W {
			return nil, fmt.Errorf("%s has %d bytes", path, len(content))
		}
		t.tiles[path] = tile
		if path == t.flip {
			content[7] ^= 0x10
		}
		data = append(data, content)
	}
	return data, nil
}

// entryOf reads one entry out of its bundle.
func entryOf(directory string, size, index int64) []byte {
	width := size - index/256*256
	if width > 256 {
		width = 256
	}
	tile := tlog.Tile{H: 8, L: 0, N: index / 256, W: int(width)}
	path := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
	entries, err := splitBundle(read(directory, path), int(width))
	must(err, path)
	return entries[index%256]
}

func splitBundle(bundle []byte, width int) ([][]byte, error) {
	var entries [][]byte
	for len(bundle) > 0 {
		if len(bundle) < 2 || len(bundle) < 2+int(binary.BigEndian.Uint16(bundle)) {
			return nil, errors.New("a bundle ends early")
		}
		end := 2 + int(binary.BigEndian.Uint16(bundle))
		entries = append(entries, bundle[2:end])
		bundle = bundle[end:]
	}
	if len(entries) != width {
		return nil, fmt.Errorf("a bundle has %d entries instead of %d", len(entries), width)
	}
	return entries, nil
}

func someIndexes(size int64, random *rand.Rand) []int64 {
	indexes := []int64{0, size / 2, size - 1}
	for i := 0; i < 20; i++ {
		indexes = append(indexes, random.Int63n(size))
	}
	return indexes
}

type counts struct {
	Sizes        []int64 `json:"sizes"`
	Checkpoints  int     `json:"checkpoints"`
	Entries      int     `json:"entries"`
	Inclusions   int     `json:"inclusions"`
	Consistency  int     `json:"consistency"`
	Cosignatures int     `json:"cosignatures"`
	Refused      int     `json:"refused"`
}

// checkInclusions proves entries from the tiles of `hashes` and refuses what was forged.
func checkInclusions(c checkpoint, hashes, entries string, random *rand.Rand, n *counts) {
	source := newTiles(hashes)
	reader := tlog.TileHashReader(c.tree(), source)
	for _, index := range someIndexes(c.size, random) {
		entry := entryOf(entries, c.size, index)
		p, err := tlog.ProveRecord(c.size, index, reader)
		must(err, "a proof from our tiles")
		must(tlog.CheckRecord(p, c.size, c.root, index, tlog.RecordHash(entry)), "an inclusion")
		n.Inclusions++

		forged := append([]byte(nil), entry...)
		forged[random.Intn(len(forged))] ^= 1 << random.Intn(8)
		check(tlog.CheckRecord(p, c.size, c.root, index, tlog.RecordHash(forged)) != nil,
			"a forged entry %d of %d passes", index, c.size)
		n.Refused++
	}
	for _, tile := range source.tiles {
		checkFlippedTile(c, hashes, entries, tile)
		n.Refused++
	}
}

// checkFlippedTile flips a bit of the first hash in a tile and proves an entry that needs that hash. The
// reader of x/mod 0.7 authenticates most of the tiles that it reads, but not all; what it lets pass, the
// check of the proof refuses.
func checkFlippedTile(c checkpoint, hashes, entries string, tile tlog.Tile) {
	needs := tile.N * 256
	if tile.W > 1 {
		needs++
	}
	index := needs << (8 * tile.L)
	forged := newTiles(hashes)
	forged.flip = pathOf(tile)
	p, err := tlog.ProveRecord(c.size, index, tlog.TileHashReader(c.tree(), forged))
	if err == nil {
		entry := entryOf(entries, c.size, index)
		err = tlog.CheckRecord(p, c.size, c.root, index, tlog.RecordHash(entry))
	}
	check(err != nil, "a flipped bit in %s passes for %d of %d", forged.flip, index, c.size)
}

// checkAllEntries hashes every entry of an export and compares with the root.
func checkAllEntries(c checkpoint, directory string, n *counts) {
	hashes := &memory{}
	for index := int64(0); index < c.size; index += 256 {
		width := c.size - index
		if width > 256 {
			width = 256
		}
		tile := tlog.Tile{H: 8, L: 0, N: index / 256, W: int(width)}
		path := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
		entries, err := splitBundle(read(directory, path), int(width))
		must(err, path)
		for i, entry := range entries {
			stored, err := tlog.StoredHashes(index+int64(i), entry, hashes)
			must(err, "hashes")
			hashes.stored = append(hashes.stored, stored...)
			n.Entries++
		}
	}
	root, err := tlog.TreeHash(c.size, hashes)
	must(err, "root")
	check(root == c.root, "the entries of %d give another root", c.size)
}

type memory struct{ stored []tlog.Hash }

func (m *memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, index := range indexes {
		out = append(out, m.stored[index])
	}
	return out, nil
}

// checkProofs verifies the tlog-proof files of one journal.
func checkProofs(directory string, verifier note.Verifier, random *rand.Rand, n *counts) {
	names, err := filepath.Glob(filepath.Join(directory, "proofs", "*.tlog-proof"))
	must(err, "proofs")
	check(len(names) > 0, "no proofs in %s", directory)
	for _, name := range names {
		p := parseProof(read(name))
		c := openCheckpoint(p.note, verifier)
		must(p.verify(c), name)
		n.Inclusions++
		for _, another := range []int64{p.index - 1, p.index + 1, p.index ^ 256, c.size} {
			elsewhere := p
			elsewhere.index = another
			check(another < 0 || refuses(func() error { return elsewhere.verify(c) }),
				"%s proves index %d too", name, another)
			n.Refused++
		}
		forged := p
		forged.entry = append([]byte(nil), p.entry...)
		forged.entry[random.Intn(len(forged.entry))] ^= 1
		check(forged.verify(c) != nil, "%s proves a forged entry", name)
		n.Refused++
		for i := range p.hashes {
			forged := p
			forged.hashes = append(tlog.RecordProof(nil), p.hashes...)
			forged.hashes[i][random.Intn(32)] ^= 1
			check(forged.verify(c) != nil, "%s passes with a forged hash", name)
			n.Refused++
		}
	}
}

// refuses also takes a panic for a refusal: x/mod panics at an index beyond the tree.
func refuses(try func() error) (refused bool) {
	defer func() {
		if recover() != nil {
			refused = true
		}
	}()
	return try() != nil
}

// checkForgedCheckpoints changes a signed checkpoint at every byte, and signs it with another key.
func checkForgedCheckpoints(signed []byte, verifier note.Verifier, n *counts) {
	for at := range signed {
		forged := append([]byte(nil), signed...)
		forged[at] ^= 2
		if sameNote(signed, forged) {
			continue
		}
		_, err := tryCheckpoint(forged, verifier)
		check(err != nil, "a checkpoint forged at byte %d passes", at)
		n.Refused++
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	must(err, "checkpoint")
	other, _, err := note.GenerateKey(rand.New(rand.NewSource(1)), verifier.Name())
	must(err, "key")
	signer, err := note.NewSigner(other)
	must(err, "key")
	forged, err := note.Sign(&note.Note{Text: opened.Text}, signer)
	must(err, "sign")
	_, err = tryCheckpoint(forged, verifier)
	check(err != nil, "a checkpoint signed with another key passes")
	n.Refused++
}

func checkJournals(directory string) counts {
	var n counts
	random := rand.New(rand.NewSource(1))
	vkey, witness := line(directory, "vkey"), line(directory, "witness")
	verifier := logVerifier(vkey)
	checkpoints := map[int64]checkpoint{}
	names, err := os.ReadDir(directory)
	must(err, "journals")
	for _, name := range names {
		if size, err := strconv.ParseInt(name.Name(), 10, 64); err == nil {
			n.Sizes = append(n.Sizes, size)
		}
	}
	sort.Slice(n.Sizes, func(i, j int) bool { return n.Sizes[i] < n.Sizes[j] })
	for _, size := range n.Sizes {
		here := filepath.Join(directory, strconv.FormatInt(size, 10))
		journal, export := filepath.Join(here, "journal"), filepath.Join(here, "export")
		c := openCheckpoint(read(journal, "checkpoint"), verifier)
		check(c.size == size, "the journal of %d has %d entries", size, c.size)
		check(c == openCheckpoint(read(export, "checkpoint"), verifier), "the export differs")
		checkpoints[size] = c
		n.Checkpoints += 2
		checkForgedCheckpoints(read(journal, "checkpoint"), verifier, &n)

		checkAllEntries(c, export, &n)
		checkInclusions(c, journal, export, random, &n)
		checkInclusions(c, export, export, random, &n)
		checkProofs(here, verifier, random, &n)
		when := checkCosigned(read(here, "cosigned"), vkey, witness)
		check(when == 1776000000, "cosigned at %d", when)
		n.Cosignatures++
	}
	// Each journal has entries of its own, so growth is proved within each, from its own tiles.
	for _, size := range n.Sizes {
		here := filepath.Join(directory, strconv.FormatInt(size, 10))
		c := checkpoints[size]
		reader := tlog.TileHashReader(c.tree(), newTiles(filepath.Join(here, "journal")))
		for _, old := range n.Sizes {
			if old > size {
				break
			}
			root, err := tlog.TreeHash(old, reader)
			must(err, "an earlier root")
			before := checkpoint{c.origin, old, root}
			ours := parseHashes(string(read(here, "consistency", strconv.FormatInt(old, 10))))
			must(checkGrowth(ours, before, c), fmt.Sprintf("growth from %d to %d", old, size))
			n.Consistency++
			if old == size {
				continue
			}
			theirs, err := tlog.ProveTree(size, old, reader)
			must(err, "their proof")
			check(len(theirs) == len(ours), "our proof has %d hashes, theirs %d", len(ours), len(theirs))
			for i := range ours {
				check(ours[i] == theirs[i], "our proof from %d to %d differs from theirs", old, size)
				forged := append([]tlog.Hash(nil), ours...)
				forged[i][random.Intn(32)] ^= 1
				check(checkGrowth(forged, before, c) != nil, "a forged proof of growth passes")
				n.Refused++
			}
			// Another journal of that size is no beginning of this one.
			check(checkGrowth(ours, checkpoints[old], c) != nil, "another history passes")
			n.Refused++
		}
	}
	return n
}

// checkLog verifies one export as a client of tlog-tiles would.
func checkLog(directory, vkey string) counts {
	var n counts
	verifier := logVerifier(vkey)
	c := openCheckpoint(read(directory, "checkpoint"), verifier)
	n.Sizes = []int64{c.size}
	n.Checkpoints = 1
	checkForgedCheckpoints(read(directory, "checkpoint"), verifier, &n)
	checkAllEntries(c, directory, &n)
	checkInclusions(c, directory, directory, rand.New(rand.NewSource(1)), &n)
	return n
}
