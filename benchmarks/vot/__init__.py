"""The reset-based experiment of VOT2013 to VOT2018: a tracker that loses its target begins anew (Kristan et al., TPAMI 2016)."""
