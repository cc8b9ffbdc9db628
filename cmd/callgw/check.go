package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/callgw/callgw/internal/config"
	"github.com/callgw/callgw/realtime"
)

func newCheck() *cobra.Command {
	var path string
	var online bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check the configuration",
		Long: `Checks the configuration and prints every fault at once, with its line and what to
do. With --online it also opens a session at each provider and says what came of
it; nothing is spoken and no response is asked for.`,
		Example: "  callgw check -c callgw.yaml --online",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(cmd, path)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "configuration is right: %d agents, %d routes, %d providers, %d trunks\n",
				len(cfg.Agents), len(cfg.Routes), len(cfg.Providers), len(cfg.SIP.Trunks))
			if !online {
				return nil
			}
			return checkProviders(cmd, cfg)
		},
	}
	cmd.Flags().StringVarP(&path, "config", "c", "", "configuration `file`; none: built-in defaults")
	cmd.Flags().BoolVar(&online, "online", false, "open a session at each provider")
	return cmd
}

// checkProviders opens a session at each provider in turn.
func checkProviders(cmd *cobra.Command, cfg *config.Config) error {
	names := make([]string, 0, len(cfg.Providers))
	for name := range cfg.Providers {
		names = append(names, name)
	}
	slices.Sort(names)
	failed := 0
	for _, name := range names {
		p := cfg.Providers[name]
		if p.Embedded() {
			fmt.Fprintf(cmd.OutOrStdout(), "provider %s: no key: the embedded server stands in\n", name)
			continue
		}
		began := time.Now()
		model, err := probe(cmd.Context(), p.Realtime())
		if err != nil {
			failed++
			fmt.Fprintf(cmd.OutOrStdout(), "provider %s: %v\n", name, err)
			continue
		}
		fmt.Fprintf(cmd.OutOrStdout(), "provider %s: session of %s open after %v\n", name, model, time.Since(began).Round(time.Millisecond))
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d providers do not answer", failed, len(names))
	}
	return nil
}

// probe opens and closes a session and returns its model.
func probe(ctx context.Context, p realtime.Provider) (model string, err error) {
	s, err := realtime.NewSession(realtime.Config{
		Provider: p, Handler: deaf{},
		Properties: realtime.Properties{InputAudioFormat: realtime.FormatULaw, OutputAudioFormat: realtime.FormatULaw},
	})
	if err != nil {
		return "", err
	}
	if err := s.Open(ctx); err != nil {
		return "", err
	}
	model = s.Effective().Model
	s.Close()
	return model, s.Run(ctx)
}

// deaf is a handler that listens to nothing.
type deaf struct{}

func (deaf) Audio(realtime.AudioDelta) {}
func (deaf) Event(realtime.Event)      {}
