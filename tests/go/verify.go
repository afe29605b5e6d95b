// An independent reader of the log: Go's golang.org/x/mod/sumdb (note, tlog), as Debian packages it, verifies the checkpoint, the
// inclusion of every entry and the consistency of every older size, from the static files alone.
package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// reader serves tlog's hashes from the folder's tiles. tlog names tiles tile/H/L/N, tlog-tiles (C2SP) tile/L/N.
type reader struct{ folder string }

func (r reader) Height() int { return 8 }
func (r reader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range tiles {
		path := strings.Replace(t.Path(), fmt.Sprintf("tile/8/%d/", t.L), fmt.Sprintf("tile/%d/", t.L), 1)
		data, err := os.ReadFile(filepath.Join(r.folder, path))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}
func (r reader) SaveTiles([]tlog.Tile, [][]byte) {}

func entries(folder string, size int64) ([][]byte, error) {
	var all [][]byte
	for n := int64(0); n*256 < size; n++ {
		t := tlog.Tile{H: 8, L: -1, N: n, W: int(min(256, size-n*256))}
		path := strings.Replace(t.Path(), "tile/8/data/", "tile/entries/", 1)
		data, err := os.ReadFile(filepath.Join(folder, path))
		if err != nil {
			return nil, err
		}
		for len(data) > 0 {
			l := int(binary.BigEndian.Uint16(data))
			all = append(all, data[2:2+l])
			data = data[2+l:]
		}
	}
	return all, nil
}

func min(a, b int64) int64 {
	if a < b {
		return a
	}
	return b
}

func must(err error, what string) {
	if err != nil {
		fmt.Printf("not ok - %s\n# %v\n", what, err)
		os.Exit(1)
	}
}

// cosigner verifies c2sp.org/tlog-cosignature for sumdb/note, which knows algorithm 1 only.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return c.hash }
func (c cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != 8+64 {
		return false
	}
	t := binary.BigEndian.Uint64(sig)
	return ed25519.Verify(c.key, append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", t)), msg...), sig[8:])
}

func newCosigner(vkey string) (note.Verifier, error) {
	parts := strings.SplitN(vkey, "+", 3)
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 33 || key[0] != 4 {
		return nil, fmt.Errorf("no cosigner: %s", vkey)
	}
	digest := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	return cosigner{parts[0], binary.BigEndian.Uint32(digest[:]), key[1:]}, nil
}

// proven checks a c2sp.org/tlog-proof of an entry against log and witnesses: every one must have signed.
func proven(path string, entry func(int64) []byte, verifiers []note.Verifier) {
	text, err := os.ReadFile(path)
	must(err, "the proof is there")
	head, rest, _ := strings.Cut(string(text), "\n\n")
	lines := strings.Split(head, "\n")
	var index, size int64
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		must(fmt.Errorf("%s", lines[0]), "the proof says what it is")
	}
	fmt.Sscanf(lines[1], "index %d", &index)
	signed, err := note.Open([]byte(rest), note.VerifierList(verifiers...))
	must(err, "sumdb/note verifies the proof's checkpoint")
	if len(signed.Sigs) != len(verifiers) || len(signed.UnverifiedSigs) != 0 {
		must(fmt.Errorf("%d of %d", len(signed.Sigs), len(verifiers)), "log and every witness signed")
	}
	fmt.Printf("ok - sumdb/note verifies the log's signature and %d cosignatures\n", len(verifiers)-1)
	body := strings.Split(signed.Text, "\n")
	fmt.Sscanf(body[1], "%d", &size)
	root, err := tlog.ParseHash(body[2])
	must(err, "the checkpoint has a root")
	var proof tlog.RecordProof
	for _, l := range lines[2:] {
		h, err := tlog.ParseHash(l)
		must(err, "a line of the proof is a hash")
		proof = append(proof, h)
	}
	must(tlog.CheckRecord(proof, size, root, index, tlog.RecordHash(entry(index))), "the entry is included")
	fmt.Printf("ok - sumdb/tlog checks the tlog-proof of entry %d\n", index)
}

func main() {
	folder, vkey := os.Args[1], os.Args[2]
	text, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	must(err, "the checkpoint is there")
	verifier, err := note.NewVerifier(vkey)
	must(err, "sumdb/note reads the log's verifier key")
	signed, err := note.Open(text, note.VerifierList(verifier))
	must(err, "sumdb/note verifies the checkpoint's signature")
	fmt.Println("ok - sumdb/note verifies the checkpoint's signature")
	lines := strings.Split(signed.Text, "\n")
	var size int64
	fmt.Sscanf(lines[1], "%d", &size)
	root, err := tlog.ParseHash(lines[2])
	must(err, "the checkpoint has a root")
	tree := tlog.Tree{N: size, Hash: root}
	hashes := tlog.TileHashReader(tree, reader{folder})
	all, err := entries(folder, size)
	must(err, "the entry bundles are there")
	if int64(len(all)) != size {
		must(fmt.Errorf("%d of %d", len(all), size), "every entry is in a bundle")
	}
	for i := int64(0); i < size; i++ {
		proof, err := tlog.ProveRecord(size, i, hashes)
		must(err, "a proof of inclusion")
		must(tlog.CheckRecord(proof, size, root, i, tlog.RecordHash(all[i])), "an entry is included")
	}
	fmt.Printf("ok - sumdb/tlog proves each of %d entries included, from the static tiles\n", size)
	for n := int64(1); n <= size; n++ {
		old, err := tlog.TreeHash(n, hashes)
		must(err, "an older root")
		proof, err := tlog.ProveTree(size, n, hashes)
		must(err, "a proof of consistency")
		must(tlog.CheckTree(proof, size, root, n, old), "an older tree is a prefix")
	}
	fmt.Printf("ok - sumdb/tlog proves every older size consistent with size %d\n", size)
	if len(os.Args) > 3 {
		verifiers := []note.Verifier{verifier}
		for _, w := range os.Args[4:] {
			c, err := newCosigner(w)
			must(err, "a witness's key is read")
			verifiers = append(verifiers, c)
		}
		proven(os.Args[3], func(i int64) []byte { return all[i] }, verifiers)
	}
}
