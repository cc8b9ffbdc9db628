package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newCheck() *cobra.Command {
	var path string
	var online bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check the configuration",
		Long: `Checks the configuration and prints every fault at once, with its line and what to
do. Warnings are about a configuration that works, though not as it may be meant.

With --online it also asks the world outside:

  providers  a session is opened, configured and closed at each; nothing is said
             and no response is asked for
  webhook    a signed status callback, of no call, is sent to http.public_url, as
             Twilio would: it arrives if the name, the certificate and the proxy
             are right and the gateway is running with the same auth token
  trunks     the server of each that has one, else its registrar, is asked once
             whether it lives (OPTIONS), by way of the trunk's proxy and with its
             login, from the addresses of sip.listen and other ports; nothing is
             registered and nobody is called

Carriers may answer none but those that they know, and see a firewall that this machine
does not. The metrics of the running gateway tell whether it is registered, and with
keepalive whether the server lives; place a call to see that a trunk works.`,
		Example: `  callgw check -c callgw.yaml
  callgw check -c callgw.yaml --online`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(cmd, path)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "configuration is right: %s, %s, %s, %s\n",
				count(len(cfg.Agents), "agent"), count(len(cfg.Routes), "route"),
				count(len(cfg.Providers), "provider"), count(len(cfg.SIP.Trunks), "trunk"))
			if !online {
				return nil
			}
			return probe(cmd.Context(), cmd.OutOrStdout(), cfg)
		},
	}
	cmd.Flags().StringVarP(&path, "config", "c", "", "configuration `file`; none: built-in defaults")
	cmd.Flags().BoolVar(&online, "online", false, "ask providers, the webhook's URL and trunks too")
	return cmd
}
