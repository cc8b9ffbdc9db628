package rtp

import "time"

const (
	// bestR is R of G.711 without loss and delay: the default values of ITU-T G.107.
	bestR = 93.2
	// Robustness of G.711 to random loss (ITU-T G.113, appendix I): with silence in
	// the place of lost packets, as here, and with concealment, as phones have.
	silenced  = 4.3
	concealed = 25.1
)

// mos estimates the mean opinion score of G.711, 1 to 4.5, by the E-model (ITU-T
// G.107): loss is the part of the packets that were missing, robustness that to
// their loss, delay from mouth to ear.
func mos(loss, robustness float64, delay time.Duration) float64 {
	d := float64(delay) / float64(time.Millisecond)
	// Id, as R. G. Cole and J. H. Rosenbluth fitted G.107's curves ("Voice over IP
	// performance monitoring", 2001): from 177.3 ms on, talkers get in each other's
	// way.
	r := bestR - 0.024*d
	if d > 177.3 {
		r -= 0.11 * (d - 177.3)
	}
	// G.107 §3.5: Ie,eff with Ie = 0 and BurstR = 1; Ppl is in per cent.
	ppl := 100 * min(max(loss, 0), 1)
	r -= 95 * ppl / (ppl + robustness)
	// G.107 annex B.
	switch {
	case r <= 0:
		return 1
	case r >= 100:
		return 4.5
	}
	return max(1, 1+0.035*r+r*(r-60)*(100-r)*7e-6)
}
