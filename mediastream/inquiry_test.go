package mediastream_test

import (
	"math"
	"testing"
	"time"

	"github.com/callgw/callgw/mediastream"
)

func TestWhatWasHeardFollowsFromWhatIsUnplayed(t *testing.T) {
	for name, tt := range map[string]struct{ unplayed, want int64 }{
		"everything was played":           {0, 1840},
		"half of the last piece":          {400, 1440},
		"the last piece":                  {800, 1040},
		"the padding was played":          {801, 1040}, // 80 of 160 bytes are silence
		"the padding, and not the audio":  {880, 1040},
		"a byte of the audio before it":   {881, 1039},
		"all but the first piece":         {960, 960},
		"all but half of the first piece": {1440, 480},
		"nothing was played":              {1920, 160}, // but a mark had told of that
		"more than was sent":              {5000, 160},
		"less than nothing":               {-1, 1840},
		"beyond all bounds":               {math.MaxInt64, 160},
	} {
		t.Run(name, func(t *testing.T) {
			var p mediastream.Playhead
			now := time.Now()
			seq := p.Play(now, 0, 160)
			p.Play(now, 160, 800)
			p.Echo(now.Add(20*ms), p.Gen(), seq)
			p.PlayPadded(now, 960, 80, 80)
			p.Play(now, 1040, 800)
			p.Clear(now.Add(50 * ms))
			if got := p.Exact(now.Add(60*ms), tt.unplayed); got != tt.want {
				t.Errorf("heard %d, want %d", got, tt.want)
			}
		})
	}
}
