package config

import (
	"fmt"
	"maps"
	"math"
)

// Price of a model in US dollars per million tokens.
type Price struct {
	TextIn      float64 `yaml:"text_in"`
	TextCached  float64 `yaml:"text_cached"`
	TextOut     float64 `yaml:"text_out"`
	AudioIn     float64 `yaml:"audio_in"`
	AudioCached float64 `yaml:"audio_cached"`
	AudioOut    float64 `yaml:"audio_out"`
}

// knownPrices are those of OpenAI's model page in autumn 2026.
var knownPrices = map[string]Price{
	"gpt-realtime-2.1": {TextIn: 4, TextCached: 0.4, TextOut: 24, AudioIn: 32, AudioCached: 0.4, AudioOut: 64},
}

// completePrices adds the known prices to those of the file.
func completePrices(prices map[string]Price) map[string]Price {
	all := maps.Clone(knownPrices)
	maps.Copy(all, prices)
	return all
}

func checkPrices(k *checker, prices map[string]Price) {
	for _, model := range sortedKeys(prices) {
		p := prices[model]
		for member, usd := range map[string]float64{
			"text_in": p.TextIn, "text_cached": p.TextCached, "text_out": p.TextOut,
			"audio_in": p.AudioIn, "audio_cached": p.AudioCached, "audio_out": p.AudioOut,
		} {
			if usd < 0 || math.IsInf(usd, 0) || math.IsNaN(usd) {
				at := "prices." + model + "." + member
				k.fail(at, k.quote(at, fmt.Sprint(usd))+" is no price", "write US dollars per million tokens")
			}
		}
	}
}
