// English as an attacker words it. Every gap is bounded and every rule is anchored on words, so the time is linear.
const gap = String.raw`(?:\W{1,4}(?:\w{1,16}\W{1,4}){0,4}?)`;
const wide = String.raw`(?:\W{1,4}(?:[\w'-]{1,20}\W{1,4}){0,8}?)`;
const reader =
  "(?:language models?|llm|ai|a\\.i\\.|assistants?|ai agents?|agents?|models?|chatbots?|automated (?:reader|system|agent)s?|critics?|evaluators?|planners?)";
const role =
  "(?:ai|assistant|admin(?:istrator)?|owner|operator|developer|system|root|dan|superuser|executor|approver|supervisor|moderator)";
const words = (...parts: string[]): RegExp => new RegExp(parts.join("|"));

/** A rule's name, and what strikes it in folded text. */
export const phrases: Record<string, RegExp> = {
  overrides_instructions: words(
    String
      .raw`\b(?:ignore|disregard|forget|override|bypass|discard|set aside|drop)\W{1,4}(?:everything|anything|all|what(?:ever)?)${gap}?(?:above|before|earlier|previously|told|said|instructed|learned|taught)\b`,
    String
      .raw`\b(?:more important than|takes? (?:precedence|priority) over|supersedes?|overrides?|replaces?)${gap}(?:anything|everything|all|whatever|your|limits?|what you)\b${gap}?(?:you|told|instructions?|rules|prompt|earlier|before|guidelines|directives|\.trading|\.payments|trading|payments)\b`,
    String
      .raw`\b(?:ignor|disregard|overrid|bypass|disobey|circumvent|violat|break)(?:e|ing|s)?\W{1,4}(?:the|all|any|every|this|its|our|usual)\W{1,4}(?:\w{1,12}\W{1,4})?(?:polic(?:y|ies)|guardrails|rules|guidelines|directives|rubric|restrictions|safeguards|instructions)\b(?! (?:in|on|of|from|at) )`,
    String
      .raw`\b(?:do not|don'?t|never|stop)\W{1,4}(?:follow|obey|apply|us|enforc)\w{0,4}${gap}(?:polic(?:y|ies)|guardrails|guidelines|instructions|directives|rubric|safeguards|restrictions)\b`,
    String
      .raw`\b(?:instructions|guidelines|directives|rules|prompt) (?:that )?you (?:were|have been|are|got) (?:given|told|taught|sent)\b`,
    String
      .raw`\b(?:constraints?|restrictions?|instructions?|guidelines?|safeguards?|guardrails?)\W{1,4}(?:are|is|were|have been) (?:now )?(?:void|suspended|lifted|gone|off|disabled|removed|null|cancelled)\b|\brules above\W{1,4}(?:do not|don't|no longer) apply\b`,
    String
      .raw`\byour (?:only|real|true|actual|new) (?:task|goal|job|role|purpose|objective|instruction|mission)\b`,
    String
      .raw`\b(?:act|rely|go|base your \w{1,12}) (?:only|solely|exclusively) (?:on|by) (?:this|the following)\b`,
  ),
  new_instructions: words(
    String
      .raw`\b(?:new|updated|real|actual|revised|additional|following|hidden)\W{1,4}(?:system\W{1,4})?(?:instructions?|directives?|prompt|orders from|task|objective)\b\W{0,4}(?:follow\b|for (?:the )?(?:ai|agents?|assistants?|models?|bots?|critic|planner|llm))`,
    String
      .raw`\b(?:new|updated|revised) (?:system prompt|instructions?|directives?)\b\W{0,4}(?::|are\b|is\b)\W{0,4}(?:you|publish|approve|ignore|execute|send|reply|answer|always|never|every|all|do not|replies|treat)\b`,
    String
      .raw`\bsystem prompt (?:update|override|change)\b|\b(?:system|admin|root) (?:override|command|notice to (?:ai|agents?))\b|\bend of (?:retrieved )?(?:data|context|alert|document|input)\b.{0,8}(?:new|you are|now|instructions?)`,
    String.raw`\binstructions? (?:to|for) (?:all |any |the |downstream |every )?${reader}\b`,
  ),
  changes_role: words(
    String
      .raw`\b(?:you are|you're|youre) (?:now|no longer|henceforth|hereby)\W{1,4}(?:(?:an?|the|my|our|acting as|going to be)\b(?! (?:long|short|flat|members?|subscribers?|customers?|clients?|users?|part))|able|free|allowed|permitted|authori[sz]ed|entitled|unrestricted|dan\b|bound|in (?:developer|debug|god|admin|maintenance|unrestricted) mode|${role}\b)`,
    String
      .raw`\byou (?:no longer|do not|don't) (?:need|require|have to (?:ask|wait|follow))\W{1,4}(?:an? |the |any |to )?(?:approvals?|operators?|owners?|permission|critic|confirmation|ask|wait|follow|obey)\b`,
    String
      .raw`\b(?:pretend|act|behave|respond|roleplay|role-play|imagine|simulate)\W{1,4}(?:that )?(?:to be|as if|as though|like|as|you are|being)\W{1,4}(?:you (?:are|were) )?(?:an? |the |my )?(?:unrestricted |evil |new |senior )?${role}\b(?! (?:coach|for))`,
    String
      .raw`\b(?:act|behave|answer|respond|work) without (?:any )?(?:restrictions?|limits|limitations|rules|filters?|guardrails)\b`,
    String
      .raw`\byou are (?:a|an) (?:helpful|unrestricted|obedient|evil|uncensored|jailbroken|planner|agent|ai)\b|\byou (?:are|have been) (?:hereby )?authori[sz]ed to\b|\byou have (?:entered|been switched)\b`,
    String
      .raw`\b(?:enter(?:ed)?|switch(?:ed)? to|activate|enable|in) (?:developer|debug|god|jailbreak|dan|maintenance|admin|sudo|unrestricted) mode\b|\b(?:god|jailbreak|dan|sudo) mode\b|\bdo anything now\b|\bjailbroken\b`,
    String
      .raw`\b(?:as|i am|i'm) (?:your|the|an?) (?:admin(?:istrator)?|developer|owner|creator|operator|supervisor)\b.{0,40}\b(?:command|order|authori[sz]e|instruct|tell|direct|allow|permit)\b`,
    String
      .raw`\b(?:make|promote|grant|give|add|appoint)${gap}(?:me|him|her|them|user|account|\d{3,20}|myself)\b${gap}?(?:owner|admin|administrator|operator|root)\b`,
    String
      .raw`\b(?:you|your word)\b.{0,30}\b(?:owner of the|word is final)\b|\blet's play a game where you\b`,
  ),
  steers_the_evaluation: words(
    String
      .raw`\b(?:give|assign|award|return|output|set|rate|score|grade|mark|report|put)${gap}?(?:scor(?:e|ing)|rating|mark|grade|rubric|verdict|evaluation|quality|this|it|idea|alert|signal|risk|policy)${gap}?(?:of |to |as |at |with |= ?|: ?)?(?:1\.0+|9\/9|9 (?:out )?of 9|10\/10|10 (?:out )?of 10|100 ?%|full marks?|max(?:imum)?\b(?! of)|perfect|highest (?:score|mark|rating)|pass(?:ed|ing)?\b)`,
    String
      .raw`\b(?:full|perfect|maximum|highest|top) (?:marks?|scores?|ratings?) (?:is|are|for (?:this|the|every|all|each)|to (?:this|the|every)|without|whatever|regardless)\b|\b(?:award|assign|give|return|grant)\b.{0,20}\bfull marks\b|\bverdict\W{1,4}pass\b|\bquality.?score\s{0,2}[=:]|\bred.?flags?\s{0,2}[=:]\s{0,2}\[`,
    String
      .raw`\bmaximum (?:for|in|on) (?:every|all|each) (?:criteri|mark)|\b(?:score|marks?|rating)\b${wide}(?:shall|must|should|has to|have to|is to|needs to) be (?:1|9|10|perfect|max|the highest|full)|\bpolicy["']?\s{0,2}:?\s{0,2}1\b.{0,60}\b(?:risk|factuality)["']?\s{0,2}:?\s{0,2}[13]\b.{0,20}(?:nothing else|only)|(?:answer|respond|reply|return)\W{1,4}(?:with )?\{?["']?policy`,
    String
      .raw`\b(?:please )?return policy 1\b|\b(?:do not|don't|never|must not|no need to|without) (?:apply|comput|rais|us)\w{0,4}${gap}(?:rubric|it|red flags?|score)\b`,
    String
      .raw`\b(?:note|message|instruction|attention|hint|memo|reminder|hinweis)s? (?:to|for) (?:the |all |every |any )?(?:critic|evaluator|judge|reviewer|ai|assistant|model|agents?|llm|bot)\b`,
    String
      .raw`\b(?:critic|evaluator|judge|llm|assistant|language model|planner|grader)s?\W{1,4}(?:must|should|shall|has to|have to|please|ought to|will now|is to)\b|\b(?:critic|evaluator|judge|reviewer|grader)\s{0,2}[,:]\s{0,2}(?:please |you |now )?(?:set|give|award|return|ignore|pass|mark|skip|accept|approve|rate|score|output|answer)\b`,
    String
      .raw`\bas the (?:critic|evaluator|judge|reviewer) you\b|\b(?:tell|ask|instruct|remind) the (?:critic|evaluator|judge|reviewer)\b`,
    String.raw`\b(?:any|every)(?:one|body) (?:evaluating|judging|grading|reviewing|scoring) this\b`,
  ),
  claims_approval: words(
    String
      .raw`\b(?:already|pre|auto(?:matically)?|always)\W{0,2}(?:been )?(?:approved|authori[sz]ed|signed off|cleared|whitelisted|granted) (?:by|automatically|for)\b|\b(?:always|automatically|auto)\W{0,2}(?:be )?approved?\b(?! setup)|\bpre-?approved\b|\bapprovals? (?:has|have|was|were) (?:already )?(?:been )?(?:granted|given|waived)\b|\balready approved\b(?! (?:yesterday|today|last|on|but|and))`,
    String
      .raw`\b(?:skip|bypass|without|no need for|waive|disable|suppress|needs? no|avoid|omit|turn off|switch off|deactivate|circumvent|evade|remove|drop)${gap}?(?:(?:human|operator|owner|manual|dual|any|the) (?:approvals?|confirmation|control|review|consent|sign.?off)|(?:the )?(?:approvals?|approval (?:step|card|node|gate)|critic|dual control|dry.?run|guardrails?|safety checks?|second (?:factor|person|approval|opinion)|injection filter|audit))\b(?! (?:from|of|by) (?:the )?(?:sec|fda|board|bank|regulator|parliament))`,
    String
      .raw`\bno (?:human|operator|owner|manual|second|further|new) (?:confirmation|approval|review|decision|consent|sign.?off)\b|\b(?:approval|confirmation|consent|review)s? (?:is|are|was) (?:not |no longer )(?:required|needed|necessary)|\bapprovals? (?:steps? )?(?:is|are|was|were) (?:gone|off|suspended|disabled|void|removed|waived|over)\b|\bone approval is enough\b`,
    String
      .raw`\b(?:approve|publish|execute|transfer|withdraw|send|pay|post|release|create|proceed|confirm|accept|grant)\w{0,2}\b${wide}?without (?:asking|(?:an? |the |any )?(?:approval|review|confirmation|card|payment|permission|consent|question)|showing|waiting|human|operator)\w{0,6}\b`,
    String
      .raw`\b(?:lower|change|set|downgrade|raise|reduce|treat) (?:[\w']{1,16} ){0,5}?(?:tier|task|request|this)\b(?:[ =:]{1,3}[\w']{1,16}){0,5}?[ =:]{1,3}(?:t[0-3]\b|tier [0-3])|/approve\W{1,2}[a-z0-9-]{4,40} (?:yes|no)\b`,
    String
      .raw`\b(?:treat|mark|consider|count|record|report)${gap}(?:as (?:already )?(?:approved|passed|verified|paid|confirmed|trusted|settled)|(?:approved|paid|verified)\b)`,
    String
      .raw`\b(?:do not|don't|dont|never|without|no need to) (?:wait(?:ing)? for|ask(?:ing)?|bother)${gap}?(?:the |an? |any )?(?:critic|approvals?|operators?|owner|again|anyone|anybody|human|second person|nobody)\b|\b(?:should|must|please|and|to) approve (?:it|this|that|everything|all)\b${gap}?(?:without|alone|at once|unseen|immediately|automatically)|\bmay (?:approve|decide|publish)\b.{0,20}\b(?:alone|without)\b`,
    String
      .raw`\b(?:bypass|skip|go around|work around|evade)${gap}(?:policy|limits?|approvals?|control|gate)\b|\b(?:executed?|approved?|published?) automatically\b|\bpublish\b.{0,30}\b(?:unseen|no card|without asking)\b|\bno card\b\W{0,3}$|\bapprovals? (?:for|of|to)\b.{0,40}\b(?:given|granted) by the owner|\breuse (?:its|the|that|this) approval\b|\bon behalf of the (?:operator|owner)\b`,
    String
      .raw`\b(?:set|turn|switch|enable)${gap}?t3[ _]execution[ _]enabled\b|\b(?:set|turn) t3 on\b|\b(?:remove|delete|drop|skip)${gap}(?:node|step|gate)\b${gap}?(?:approve|approval|critic|human)\b|\badd a (?:node|step)\b.{0,60}\b(?:withdrawal|trade|payment|publish|exec)\b`,
  ),
  hides_its_traces: words(
    String
      .raw`\b(?:do not|don't|never|without|stop) (?:log(?:ging)?|record(?:ing)?|audit(?:ing)?|report(?:ing)?|announc(?:e|ing)|writ(?:e|ing) (?:an? |the |any )?(?:audit|log))\b${gap}?(?:this|it|an?|the|anything|request|audit|row)\b`,
    String
      .raw`\b(?:erase|delete|wipe|clear|remove|purge|hide|overwrite)${gap}?(?:audit|logs?|trail|traces|history of)\b`,
  ),
  asks_for_secrets: words(
    String
      .raw`(?<!\b(?:never|not|don't|nobody|or) )\b(?:reveal|show|print|repeat|output|display|tell me|give me|send|leak|dump|expose|exfiltrate|post|include|echo|list|add|translate|append|disclose|hand over|return|spell out)\b(?:\W{1,4}(?!how\b|where\b|reset\b|link\b|rotate\b|when\b|whether\b|to\b)[\w']{1,16}){0,5}?\W{1,4}(?:system prompt|hidden prompt|initial prompt|initial message|original prompt|(?:your|initial|original|secret|hidden|system)\W{1,4}(?:\w{1,12}\W{1,4})?(?:instructions|prompt)|environment variables?|env vars?|api.?keys?|secret keys?|service.?(?:role.?)?(?:token|key)s?|bot.?tokens?|access tokens?|passphrase|passwords?|private keys?|seed phrase|mnemonic|credentials|secrets|approval codes?|invite link of|context window|[a-z]{2,16}[ _](?:service|secret|api|private)[ _](?:role[ _])?key)\b`,
    String
      .raw`\bwhat (?:is|are|was|were) (?:your|the) (?:system prompt|(?:initial |original |hidden |first |secret )?(?:instructions|prompt)|service (?:token|key)|environment variables|api keys?|bot token|signing key)\b|\b(?:exact|full|complete) (?:text|prompt|instructions|words?) you (?:were|are|have been) (?:initiali[sz]ed|given|started|configured|prompted)\b`,
    String
      .raw`\b(?:repeat|print|output|copy|recite|show)${gap}?(?:everything|all|the (?:text|words|content|lines?)|each word)${gap}?(?:above|before)\b(?! (?:6|7|8|9|1|2|3|4|5|0|vwap|the (?:ema|range)))|\bword for word\b|\bverbatim\b.{0,30}\b(?:prompt|instructions|above)\b`,
    String
      .raw`\b(?:list|send|show|output|export|forward|email|reveal|append)${gap}(?:all (?:members|users|customers)|customer (?:records|data)|last \w{1,6} conversations|(?:its|your|their|other|all) (?:inputs?|memory|chunks|context|conversations)|contents of your|other operators)\b`,
  ),
  gives_orders_to_a_tool: words(
    String
      .raw`\b(?:call|invoke|use|run|execute|trigger)${gap}?(?:tool|shell|webhook|withdraw)\b|\b(?:call|invoke|run|execute|trigger) (?:the |a )?(?:function|command|api) [a-z_.]{3,40}${gap}(?:with|to|:|and)\b|\b(?:call|invoke|run|use|execute|trigger) (?:the )?(?:tool )?(?:telegram|broker|quotes|artifacts|chunks|llm|record|ton)\.[a-z]{2,20}\b`,
    String
      .raw`\b(?:drop|truncate|alter) table [a-z]|\bdelete from [a-z]|\bgrant (?:all|select|insert|update|execute)[a-z, ]{0,40} (?:on|to)\b|\bset (?:local )?role [a-z]`,
    String
      .raw`\b(?:send|transfer|withdraw|forward|move|wire|pay|drain|empty)${gap}(?:usdt|usdc|btc|eth|ton|funds|money|balance|crypto|coins|deposit)\b${gap}?to\W{1,4}(?:0x[0-9a-f]{4}|(?:wallet|the following|this|my|account|me)\b|the (?:wallet|address|account) (?:below|above|in|following)\b|[a-z0-9]{26,64}\b)`,
    String
      .raw`\b(?:send|forward|post|upload|submit|export)${wide}(?:to|at) (?:https?:|\S{1,40}@|www\.)|\bto https?:\S{1,80}/(?:collect|steal|exfil|log)|<script\b|\bjavascript:|\bcurl https?:|\$\(curl\b`,
    String
      .raw`\b(?:buy|sell|order)\b.{0,24}\b(?:with everything|with all (?:the )?(?:funds|balance|money)|before doing anything)`,
  ),
  speaks_to_the_model: words(
    String
      .raw`\b(?:if (?:you are|you're|an?|any|this is read by) (?:an? )?${reader})\b|\b(?:whoever|whatever|any(?:one|body|thing)|every(?:one|body)|any ${reader}|every ${reader}|the ${reader}|${reader}|an? ${reader}) (?:reads?|reading|that reads?|who reads?|processing|that process(?:es)?|handling|that handles?|evaluating|summari[sz]ing|parsing|of) (?:this|it)\b`,
    String
      .raw`\b(?:(?:dear|hey|attention|hello|note to|listen) (?:the |all |any )?(?:language models?|ai assistants?|ai agents?|ai|llms?|agents?|assistants?|bot)\b|(?:to|for) (?:the |all |any |an? )?(?:language model|llm|bot|agent|assistant|model) (?:that|which|who|reading|processing|handling)\b|to (?:the|any|all) (?:language models?|ai assistants?|llms?)\b)|\bnext (?:step|action) for the (?:agent|assistant|model|bot)\b|\bai agents?\s{0,2}:`,
    String
      .raw`\b(?:assistant|ai|agent|model|bot|planner)\s{0,2}[,:]\s{0,2}(?:please |now |then )?(?:set|send|ignore|post|give|reveal|append|approve|publish|execute|forward|include|print|output|forget|confirm|disregard|show|add|call|transfer|list|buy|sell everything)\b(?! (?:limit|market|stop|order|@))`,
    String
      .raw`\b(?:ask|tell|instruct|order|command|get|have) (?:the|your|my|our|this|that)(?: \w{1,12})? (?:assistant|ai|agent|bot|model|llm)\b(?:s)? to\b|\bthe (?:assistant|ai|agent|model) (?:should|must|shall|has to) (?:read|send|post|reveal|approve|publish|execute|ignore|include|forward|output|buy|sell|follow|obey)\b`,
    String
      .raw`\b(?:an?|the|this) (?:ai|assistant|agent|model|bot) (?:reading|processing|that reads|handling)\b|\bautomated (?:reader|agent|system)s? of this\b|\bplanner must\b|\byour next (?:action|step|message|reply|output) (?:must|should|shall|is to|will)\b|\byou (?:must|shall|will|should) (?:answer|say|respond|reply|comply|obey|output)\b(?! the phone)`,
    String
      .raw`\bfrom (?:now|here|this (?:line|point|moment)) on\W{1,4}(?:you|every|all|respond|reply|answer|only|each|treat|always|never|act|the (?:assistant|agent|bot))\b|\bwhen (?:summari[sz]ing|translating|reading|processing|answering|retrieving)\b.{0,30}\b(?:also|always|ignore|include|say|add|append)\b|\bwhen asked about\b.{0,30}\b(?:always|answer|say|recommend)\b`,
    String
      .raw`\b(?:remember|memori[sz]e|store|save|keep)\W{1,4}(?:\w{1,12}\W{1,4}){0,3}?(?:for all (?:later|future)|for every|for (?:later|future) tasks|permanently|forever)\b|\bwhen(?:ever)? (?:you (?:retrieve|read|see|find)|this (?:note|chunk|text|message|rule) is (?:found|read|retrieved))\b|\bfor all (?:later|future) (?:tasks|posts|alerts|requests)\b|\ball future (?:posts|tasks|alerts|trades|requests) (?:are|may|can|will|must)\b`,
    String.raw`\bhidden (?:text|message|note)\s{0,2}:|\bin the name of the (?:owner|operator)\b`,
  ),
};

// Marks of a chat transcript or prompt template: nobody's market note contains them. Matched with the punctuation kept.
export const markup =
  /<\|?(?:im_start|im_end|system|assistant|user|endoftext|begin_of_text|eot_id|start_header_id)\|?>|\[\/?inst\]|<<\/?sys>>|<\/?(?:system|assistant|instructions?|tool_call|function_call|untrusted|artifact)>|\[(?:system|assistant)\]\s{0,4}:|^\s{0,8}(?:#{1,6}\s{0,4})?(?:(?:assistant|developer|system\s{1,4}(?:message|prompt|note|override))\s{0,4}:\s|system\s{0,4}:\s.{0,60}?\b(?:you|everything|trusted|must|ignore|approved?|instructions?|from now)\b)|(?:^|[\s"'?.])(?:system|assistant)\s{0,4}:\s.{0,40}?\b(?:you|approv|allow|ignore|instruct|future|trusted|yes)|"role"\s{0,4}:\s{0,4}"(?:system|assistant|developer|tool)"|#{2,4}\s{0,2}(?:instruction|response|system)s?\s{0,2}:|-{3,20}\s{0,4}(?:begin|end|start) (?:of )?(?:system|prompt|instructions?|alert|document|context|input)|\bbegin (?:admin|system|secret|developer) (?:note|message|prompt|instructions?)\b|<!--.{0,80}\b(?:ai|agents?|assistant|model|llm|ignore|instructions?)\b|!\[[^\]]{0,80}\]\(https?:/m;

// What was spelt out letter by letter has no words left to look for.
export const squeezedOrder =
  /(?:ignore|disregard|forget|override|bypass|skip|discard)(?:all|any|your|the|of|these|those|previous|prior|above|earlier|preceding|system|my){1,4}(?:instructions?|rules|guidelines|polic|prompt|approval|restrictions|directives)|(?:reveal|print|show|repeat)(?:me|your|the){1,2}(?:systemprompt|secret|token|password|instructions)|youarenow(?:the|an?|my)?(?:owner|admin|operator|dan|unrestricted)/;
