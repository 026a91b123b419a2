"""Pages that join systems: home, inbox, leader's board, indicators with proof, parameters, search."""
