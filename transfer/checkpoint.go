package transfer

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/cespare/xxhash/v2"
)

// checkpoint is stored as JSON. It stays below 250 KiB with 10,000 parts.
type checkpoint struct {
	Version  int            `json:"v"`
	Size     int64          `json:"size"`
	PartSize int64          `json:"part"`
	Hashed   int            `json:"hashed"` // parts included in Hash and CRC, in file order
	Hash     []byte         `json:"hash"`
	CRC      uint32         `json:"crc"`
	MD5s     []byte         `json:"md5s"` // 16 bytes per part; zeros if it is not finished
	Other    map[int]string `json:"etags,omitempty"`
	Source   string         `json:"source,omitempty"` // the version of the source's bytes, if it states one
}

// of returns a fingerprint of the version of the source's bytes, or "" if the source states none.
func (r *run) of() string {
	v, ok := r.job.Source.(interface{ Version() string })
	if !ok || v.Version() == "" {
		return ""
	}
	return strconv.FormatUint(xxhash.Sum64String(v.Version()), 36)
}

const checkpointVersion = 2

// hashState holds the whole file's checksums after some part.
type hashState struct {
	xxh64 []byte
	crc   uint32
}

// resume continues from a checkpoint. The store's list says which parts exist, and the checkpoint which of them are ours.
func (r *run) resume(ctx context.Context) error {
	if r.plan.Single {
		return nil
	}
	c, usable := r.readCheckpoint()
	if of := r.of(); c.Source != "" && of != "" && c.Source != of { // the file has changed since
		if r.plan.Ordered { // such an upload cannot replace what it has
			return ErrUploadGone
		}
		usable = false
		clear(r.prior)
	}
	listed, err := r.job.Sink.Listed(ctx)
	switch {
	case errors.Is(err, ErrCannotList):
		// All we have is what it answered when the parts were stored. The completion compares the whole.
		for n, tag := range r.prior {
			listed = append(listed, Receipt{Number: n, ETag: tag, Size: r.plan.Length(n, r.job.Size)})
		}
	case errors.Is(err, ErrUploadGone) && r.job.Size >= 0:
		if err := r.settled(ctx, r.job.Size); err != nil {
			return err
		}
		r.completed = true // the answer to the completion was lost; only the checksum remains
	case err != nil:
		return err
	}
	for _, p := range listed {
		if p.ETag == "" { // the store lists only sizes; the checkpoint shows that the bytes were compared
			p.ETag = r.prior[p.Number]
		}
		r.listed[p.Number] = p
	}
	if !usable || c.Hashed == 0 {
		return nil
	}
	// Only parts at the beginning that the store still has need not be read again.
	for n := 1; n <= c.Hashed; n++ {
		if !r.completed && (r.prior[n] == "" || r.listed[n].ETag != r.prior[n]) {
			return nil
		}
	}
	if hash := xxhash.New(); hash.UnmarshalBinary(c.Hash) == nil {
		r.hash, r.crc, r.hashed, r.mark = hash, c.CRC, c.Hashed, c.Hashed
		r.states[r.mark] = hashState{c.Hash, c.CRC}
	}
	return nil
}

// readCheckpoint reads the previous attempt's ETags. It returns false if they belong to another file or plan.
func (r *run) readCheckpoint() (checkpoint, bool) {
	var c checkpoint
	if len(r.job.Resume) == 0 || json.Unmarshal(r.job.Resume, &c) != nil || c.Version != checkpointVersion ||
		c.Size != r.job.Size || c.PartSize != r.plan.PartSize || r.job.Size < 0 {
		return c, false
	}
	for n, tag := range c.Other {
		if n >= 1 && n <= r.plan.Parts {
			r.prior[n] = tag
		}
	}
	var none [16]byte
	for i := 0; (i+1)*16 <= len(c.MD5s) && i < r.plan.Parts; i++ {
		if sum := [16]byte(c.MD5s[i*16 : (i+1)*16]); sum != none {
			r.prior[i+1] = hex.EncodeToString(sum[:])
		}
	}
	if c.Hashed < 0 || c.Hashed > r.plan.Parts {
		c.Hashed = 0
	}
	return c, true
}

// report passes the progress and a checkpoint to the caller.
func (r *run) report() {
	if r.job.Progress == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.job.Progress(Progress{Bytes: r.bytes, Checkpoint: r.takeCheckpoint()})
}

// takeCheckpoint moves the mark to the last part from which another attempt can continue, and drops the states before it.
func (r *run) takeCheckpoint() []byte {
	c := checkpoint{Version: checkpointVersion, Size: r.job.Size, PartSize: r.plan.PartSize, Source: r.of()}
	// The hash is ahead of the parts still in flight. Another attempt can use the last state up to which all parts are
	// stored.
	for {
		_, stored := r.receipts[r.mark+1]
		if _, hashed := r.states[r.mark+1]; !stored || !hashed {
			break
		}
		delete(r.states, r.mark)
		r.mark++
	}
	if state, ok := r.states[r.mark]; ok {
		c.Hashed, c.Hash, c.CRC = r.mark, state.xxh64, state.crc
	}
	top := 0
	for n := range r.receipts {
		top = max(top, n)
	}
	c.MD5s = make([]byte, top*16)
	for n, receipt := range r.receipts {
		sum, err := hex.DecodeString(receipt.ETag)
		if err != nil || len(sum) != 16 {
			if c.Other == nil {
				c.Other = map[int]string{}
			}
			c.Other[n] = receipt.ETag
			continue
		}
		copy(c.MD5s[(n-1)*16:], sum)
	}
	encoded, err := json.Marshal(c)
	if err != nil {
		return nil
	}
	return encoded
}
