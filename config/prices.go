package config

import "regexp"

// Prices are the costs of storage and calls, for the plan of a migration. Without prices, a plan has no costs.
type Prices struct {
	Currency  string             `yaml:"currency"`
	Storage   map[string]float64 `yaml:"storage"`   // class → per GiB per month
	Egress    float64            `yaml:"egress"`    // per GiB
	Transcode float64            `yaml:"transcode"` // per minute of video and audio
}

// None reports whether nothing has a price.
func (p Prices) None() bool { return len(p.Storage) == 0 && p.Egress == 0 && p.Transcode == 0 }

var currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)

func (p Prices) validate(problems *Problems) {
	if !currencyForm.MatchString(p.Currency) {
		problems.add("prices.currency", "%q is not a currency: write three capital letters, such as USD", p.Currency)
	}
	prices := map[string]float64{"prices.egress": p.Egress, "prices.transcode": p.Transcode}
	for class, price := range p.Storage {
		prices["prices.storage."+class] = price
	}
	for _, key := range sortedKeys(prices) {
		if prices[key] < 0 {
			problems.add(key, "is less than 0")
		}
	}
}
