package steps

var explorationPhrases []phrase
