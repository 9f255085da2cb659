"""HTTP below the endpoints: connections and their limits, bodies, headers and problems."""
