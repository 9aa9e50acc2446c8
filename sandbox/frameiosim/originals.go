package frameiosim

import "fmt"

func streamKey(a *Asset) string { return "watermarked/" + a.ID }

// StreamWatermarked makes the legacy API do what its documentation says, although clients have not seen it: the original of
// a watermarked file is the URL of the same file with the watermark in it, which is longer by the given number of bytes.
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

// HideOriginal makes a file show no link to its original, as when a watermark is required for the token's user.
func (s *Sim) HideOriginal(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hidden[id] = true
}
