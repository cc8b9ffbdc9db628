package admin

import "net/http"

// reload reads the configuration again. A faulty one changes nothing.
func (a *api) reload(w http.ResponseWriter, _ *http.Request) {
	if a.cfg.Reload == nil {
		refuse(w, http.StatusNotImplemented, "this gateway has no configuration to reload")
		return
	}
	restart, err := a.cfg.Reload()
	if err != nil {
		refuse(w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	if restart == nil {
		restart = []string{}
	}
	answer(w, http.StatusOK, map[string]any{"need_restart": restart})
}

// drain takes no more calls, and ends the process when those that run are over.
func (a *api) drain(w http.ResponseWriter, _ *http.Request) {
	if a.cfg.Drain == nil {
		refuse(w, http.StatusNotImplemented, "this gateway cannot be asked to drain")
		return
	}
	a.cfg.Drain()
	answer(w, http.StatusAccepted, map[string]string{"status": "draining"})
}
