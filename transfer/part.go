package transfer

import (
	"crypto/md5"  //nolint:gosec // the stores' ETags are MD5
	"crypto/sha1" //nolint:gosec // Backblaze's checksum
	"errors"
	"hash"
	"hash/crc32"
	"io"
	"sync"

	"github.com/minio/crc64nvme"

	"github.com/framebridge/framebridge/transfer/widemd5"
)

// Hash is a set of checksums.
type Hash uint8

// The checksums that stores know.
const (
	MD5 Hash = 1 << iota
	SHA1
	CRC32C
	CRC64NVME
)

// Sums holds a part's checksums. Only those that were wanted are set.
type Sums struct {
	MD5       [md5.Size]byte
	SHA1      [sha1.Size]byte
	CRC32C    uint32
	CRC64NVME uint64
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// chunk is how many bytes are passed on at once: enough to make the cost of locks and system calls negligible.
const chunk = 256 << 10

// Part is a range of the file, held in memory. Its bytes may still be arriving. Body waits for them, so that a part is
// sent while it is being read.
type Part struct {
	Number int // from 1
	Total  int // 0 while unknown
	Offset int64
	Size   int64 // bytes

	mu    sync.Mutex
	moved sync.Cond
	bytes []byte
	got   int
	err   error
	whole bool // all bytes are here, and their checksums are computed
	sums  Sums
	took  Hash
	takes []taker
	lane  *md5Lane // for its MD5, if wanted
}

// taker computes one checksum.
type taker struct {
	h   hash.Hash
	set func(*Sums, []byte)
}

func newPart(n, total int, offset int64, buf []byte, wants Hash) *Part {
	p := &Part{Number: n, Total: total, Offset: offset, Size: int64(len(buf)), bytes: buf, took: wants}
	p.moved.L = &p.mu
	switch {
	case wants&MD5 == 0:
	case widemd5.Available:
		p.lane = md5s.join(buf)
	default:
		p.takes = append(p.takes, taker{md5.New(), func(s *Sums, b []byte) { copy(s.MD5[:], b) }}) //nolint:gosec // the object stores name MD5 and SHA-1
	}
	if wants&SHA1 != 0 {
		p.takes = append(p.takes, taker{sha1.New(), func(s *Sums, b []byte) { copy(s.SHA1[:], b) }}) //nolint:gosec // the object stores name MD5 and SHA-1
	}
	if wants&CRC32C != 0 {
		p.takes = append(p.takes, taker{crc32.New(castagnoli), func(s *Sums, b []byte) {
			s.CRC32C = uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
		}})
	}
	if wants&CRC64NVME != 0 {
		p.takes = append(p.takes, taker{crc64nvme.New(), func(s *Sums, b []byte) {
			for _, x := range b {
				s.CRC64NVME = s.CRC64NVME<<8 | uint64(x)
			}
		}})
	}
	return p
}

// Took reports whether a checksum is among the part's Sums.
func (p *Part) Took(h Hash) bool { return p.took&h == h }

// arrived makes the bytes up to got available to readers.
func (p *Part) arrived(got int) {
	p.mu.Lock()
	p.got = got
	p.moved.Broadcast()
	p.mu.Unlock()
	if p.lane != nil {
		p.lane.arrived(got)
	}
}

// end marks the part as complete, or as failed if err is not nil.
func (p *Part) end(err error) {
	p.mu.Lock()
	p.err = err
	p.moved.Broadcast()
	p.mu.Unlock()
	if err != nil && p.lane != nil {
		p.lane.leave()
	}
}

// takeSums computes the checksums as the bytes arrive, without delaying reading or sending. It no longer uses the bytes
// once it has returned.
func (p *Part) takeSums() {
	taken := p.takeOwn()
	if p.lane != nil {
		<-p.lane.done
		p.sums.MD5 = p.lane.sum
	}
	p.mu.Lock()
	p.whole = taken && p.err == nil
	p.moved.Broadcast()
	p.mu.Unlock()
}

// takeOwn computes the checksums that do not share lanes. It reports whether all bytes arrived.
func (p *Part) takeOwn() bool {
	if len(p.takes) == 0 && p.lane != nil {
		return true // the lane ends when all bytes are here
	}
	r := &partReader{p: p}
	for {
		fresh, err := r.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return false
		}
		fresh = fresh[:min(len(fresh), 4*chunk)]
		for _, t := range p.takes {
			_, _ = t.h.Write(fresh)
		}
		r.at += len(fresh)
	}
	for _, t := range p.takes {
		t.set(&p.sums, t.h.Sum(nil))
	}
	return true
}

// broken returns the source's final error, if any.
func (p *Part) broken() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// Sums waits until the part is complete and returns its checksums, or the error that ended it.
func (p *Part) Sums() (Sums, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.whole && p.err == nil {
		p.moved.Wait()
	}
	return p.sums, p.err
}

// Bytes waits until the part is complete and returns its bytes. The caller must not change them, or keep them after Put.
func (p *Part) Bytes() ([]byte, error) {
	_, err := p.Sums()
	return p.bytes, err
}

// Body returns a reader of the part from an offset within it.
func (p *Part) Body(from int64) io.Reader { return &partReader{p: p, at: int(from)} }

type partReader struct {
	p  *Part
	at int
}

// next waits for at least a chunk of bytes, or for the rest, and returns all that are here.
func (r *partReader) next() ([]byte, error) {
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	for {
		left := len(r.p.bytes) - r.at
		switch have := r.p.got - r.at; {
		case left <= 0:
			return nil, io.EOF
		case r.p.err != nil:
			return nil, r.p.err
		case have >= min(chunk, left):
			return r.p.bytes[r.at:r.p.got], nil
		}
		r.p.moved.Wait()
	}
}

func (r *partReader) Read(b []byte) (int, error) {
	have, err := r.next()
	if err != nil {
		return 0, err
	}
	n := copy(b, have)
	r.at += n
	return n, nil
}

// WriteTo avoids a copy.
func (r *partReader) WriteTo(w io.Writer) (int64, error) {
	var sent int64
	for {
		have, err := r.next()
		if errors.Is(err, io.EOF) {
			return sent, nil
		}
		if err != nil {
			return sent, err
		}
		have = have[:min(len(have), 4*chunk)]
		n, err := w.Write(have)
		r.at += n
		sent += int64(n)
		if err != nil {
			return sent, err
		}
	}
}
