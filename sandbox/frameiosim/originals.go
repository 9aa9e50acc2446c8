package frameiosim

import "fmt"

func streamKey(a *Asset) string { return "watermarked/" + a.ID }

// StreamWatermarked has the legacy API do what its document says, and clients did not see: the original of a watermarked
// file is a URL of the same file with the watermark in it, which is longer than the original by so many bytes.
func (s *Sim) StreamWatermarked(longer int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.streams = true
	for _, a := range s.s.Assets {
		if !a.Watermarked || a.Key == "" {
			continue
		}
		body, err := s.o.Objects.Get(bucket, a.Key)
		if err != nil {
			return fmt.Errorf("the original of %s: %w", a.Name, err)
		}
		marked := append(append([]byte{}, body...), make([]byte, longer)...)
		marked[len(body)/2] ^= 1
		if err := s.o.Objects.Put(bucket, streamKey(a), a.Filetype, marked); err != nil {
			return err
		}
	}
	return nil
}

// HideOriginal has a file show no link to its original, as where a watermark is required of the token's user.
func (s *Sim) HideOriginal(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hidden[id] = true
}
