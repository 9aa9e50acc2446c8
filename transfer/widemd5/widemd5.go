// Package widemd5 computes the MD5s of several streams at once, in the eight lanes of AVX2's registers. Each step of MD5
// depends on the one before, so one stream leaves most of a processor idle, and four streams take little longer than one. With
// four parts in flight it is two to three times as fast as crypto/md5, and with eight four times (docs/transfer.md has the figures).
//
// github.com/minio/md5-simd does the same with gather loads, which cancel out the gain on AMD's processors with fewer than
// eight streams (docs/transfer.md).
package widemd5

import (
	"crypto/md5" //nolint:gosec // the stores' ETags are MD5
	"encoding"
	"encoding/binary"
)

//go:generate sh -c "go run ./gen >blocks_amd64.s"

// BlockSize is the block size in bytes. Blocks takes multiples of it.
const BlockSize = md5.BlockSize

// Lanes is how many streams are hashed in about the time of one.
const Lanes = 8

const (
	narrow = 1        // number of lanes up to which the standard library is faster
	atOnce = 64 << 10 // bytes per lane in one call, which the runtime cannot interrupt
)

// Digest is the MD5 of one stream. The zero value is not usable: see New.
type Digest struct {
	state [4]uint32
	len   uint64 // bytes
}

// New returns the Digest of an empty stream.
func New() *Digest {
	return &Digest{state: [4]uint32{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}}
}

// Blocks adds to each stream the first len(from[0]) bytes of its from, which must be a multiple of BlockSize. Without AVX2
// it hashes the streams one after the other.
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

// Sum returns the MD5 of the stream followed by rest, which may have any length. It does not change the stream.
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

const magic = "md5\x01" // begins crypto/md5's saved state: magic, A to D, a block, the length

// standard returns the standard library's digest of the same stream.
func (d *Digest) standard() standard {
	b := append(make([]byte, 0, len(magic)+md5.Size+BlockSize+8), magic...)
	for _, w := range d.state {
		b = binary.BigEndian.AppendUint32(b, w)
	}
	b = append(b, make([]byte, BlockSize)...)
	b = binary.BigEndian.AppendUint64(b, d.len)
	h := md5.New().(standard) //nolint:gosec // the object stores name MD5 and SHA-1
	if err := h.UnmarshalBinary(b); err != nil {
		panic("widemd5: crypto/md5 saves its state in another form: " + err.Error()) // the tests would have shown it
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
