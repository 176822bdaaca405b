package steps

var surroundingPhrases []phrase
