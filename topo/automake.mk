# topo/
