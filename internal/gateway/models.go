package gateway

import (
	"maps"
	"slices"

	"github.com/callgw/callgw/internal/config"
	"github.com/callgw/callgw/internal/modelwatch"
)

// models returns the models in use, by provider: those that speak, and those
// that transcribe for the agents and routes.
func (g *Gateway) models() []modelwatch.Target {
	now := g.current.Load()
	used := map[string]map[string]bool{}
	use := func(provider, model string) {
		if model == "" {
			return // the provider's own choice
		}
		if used[provider] == nil {
			used[provider] = map[string]bool{}
		}
		used[provider][model] = true
	}
	transcribes := func(a *config.Agent) {
		if t := a.Session.InputAudioTranscription; t != nil {
			for _, provider := range a.Provider {
				use(provider, t.Model)
			}
		}
	}
	for name, p := range now.Providers {
		use(name, p.Model)
	}
	for _, a := range now.Agents {
		transcribes(a)
	}
	for _, r := range now.Routes {
		if a := now.Agents[r.Agent]; a != nil {
			changed := *a
			changed.Session = a.Session.Merge(r.Set.Session)
			transcribes(&changed)
		}
	}
	var targets []modelwatch.Target
	for _, name := range slices.Sorted(maps.Keys(used)) {
		if p := now.Providers[name]; p != nil {
			targets = append(targets, modelwatch.Target{Provider: p.Realtime(), Models: slices.Sorted(maps.Keys(used[name]))})
		}
	}
	return targets
}
