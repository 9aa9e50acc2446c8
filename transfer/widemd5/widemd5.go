// Package widemd5 takes the MD5s of several streams at once, in the eight lanes of AVX2's registers. MD5 waits for itself
// at every step, so one stream leaves most of a processor idle: four streams take little longer than one. With four parts in
// flight it is two to three times as fast as crypto/md5, with eight four times (docs/transfer.md has the figures).
//
// github.com/minio/md5-simd does the same with gathering loads, which cost all the gain on AMD's processors while there
// are fewer than eight streams (docs/transfer.md).
package widemd5

import (
	"crypto/md5" //nolint:gosec // the stores' ETags are MD5
	"encoding"
	"encoding/binary"
)

//go:generate sh -c "go run ./gen >blocks_amd64.s"

// BlockSize is what Blocks takes multiples of, in bytes.
const BlockSize = md5.BlockSize

// Lanes is how many streams are worth the time of one.
const Lanes = 8

const (
	narrow = 1        // lanes that the standard library is faster for
	atOnce = 64 << 10 // bytes of a lane in one call: the runtime cannot interrupt it
)

// Digest is one stream's. The zero value is not ready: see New.
type Digest struct {
	state [4]uint32
	len   uint64 // bytes
}

// New begins a stream.
func New() *Digest {
	return &Digest{state: [4]uint32{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}}
}

// Blocks adds to each of several streams the first len(from[0]) bytes, a multiple of BlockSize, of its from. Without AVX2
// it takes them one after the other.
func Blocks(streams []*Digest, from [][]byte) {
	size := len(from[0])
	for len(streams) > 0 {
		n := min(len(streams), Lanes)
		if n <= narrow || !Available {
			n = 1
			streams[0].scalar(from[0][:size])
		} else {
			wide(streams[:n], from[:n], size)
		}
		streams, from = streams[n:], from[n:]
	}
}

// wide hashes two to eight streams. Lanes without a stream repeat the first.
func wide(streams []*Digest, from [][]byte, size int) {
	var state [4][Lanes]uint32
	for l, d := range streams {
		for i, w := range d.state {
			state[i][l] = w
		}
		d.len += uint64(size)
	}
	for at := 0; at < size; at += atOnce {
		var first [Lanes]*byte
		for l := range first {
			b := from[0]
			if l < len(from) {
				b = from[l]
			}
			first[l] = &b[:size][at]
		}
		blocks8(&state, &first, min(atOnce, size-at)/BlockSize)
	}
	for l, d := range streams {
		for i := range d.state {
			d.state[i] = state[i][l]
		}
	}
}

// Sum is the stream's MD5 with rest after it, which may be of any length. The stream is as it was afterwards.
func (d *Digest) Sum(rest []byte) (sum [md5.Size]byte) {
	h := d.standard()
	_, _ = h.Write(rest)
	copy(sum[:], h.Sum(nil))
	return sum
}

type standard interface {
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
	Write([]byte) (int, error)
	Sum([]byte) []byte
}

const magic = "md5\x01" // of crypto/md5's saved state: magic, A to D, a block, the length

// standard is the standard library's digest of the same stream.
func (d *Digest) standard() standard {
	b := append(make([]byte, 0, len(magic)+md5.Size+BlockSize+8), magic...)
	for _, w := range d.state {
		b = binary.BigEndian.AppendUint32(b, w)
	}
	b = append(b, make([]byte, BlockSize)...)
	b = binary.BigEndian.AppendUint64(b, d.len)
	h := md5.New().(standard) //nolint:gosec // the object stores name MD5 and SHA-1
	if err := h.UnmarshalBinary(b); err != nil {
		panic("widemd5: crypto/md5 saves its state in another form: " + err.Error()) // the tests would have seen it
	}
	return h
}

func (d *Digest) scalar(b []byte) {
	h := d.standard()
	_, _ = h.Write(b)
	saved, err := h.MarshalBinary()
	if err != nil {
		panic("widemd5: " + err.Error())
	}
	for i := range d.state {
		d.state[i] = binary.BigEndian.Uint32(saved[len(magic)+4*i:])
	}
	d.len += uint64(len(b))
}
