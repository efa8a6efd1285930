"""Short passages of authors long in the public domain, that the Try view opens with.

Austen: Sense and Sensibility, Pride and Prejudice, Mansfield Park, Emma, Northanger Abbey,
Persuasion (1811-1818).
Carroll: Alice's Adventures in Wonderland (1865), narration only. Bible: the King James Version
(1611). Each passage stands on one line and has no digits, brackets or quotation marks, so that
neither the layout nor a character that one of them alone uses gives its author away.
"""

AUSTEN = (
    "It is a truth universally acknowledged, that a single man in possession of a good fortune, "
    "must be in want of a wife.",
    "Mr. Bennet was so odd a mixture of quick parts, sarcastic humour, reserve, and caprice, that "
    "the experience of three and twenty years had been insufficient to make his wife understand "
    "his character.",
    "The business of her life was to get her daughters married; its solace was visiting and news.",
    "I could easily forgive his pride, if he had not mortified mine.",
    "A person may be proud without being vain. Pride relates more to our opinion of ourselves, "
    "vanity to what we would have others think of us.",
    "For what do we live, but to make sport for our neighbours, and laugh at them in our turn?",
    "There are few people whom I really love, and still fewer of whom I think well. The more I see "
    "of the world, the more am I dissatisfied with it.",
    "Emma Woodhouse, handsome, clever, and rich, with a comfortable home and happy disposition, "
    "seemed to unite some of the best blessings of existence.",
    "No one who had ever seen Catherine Morland in her infancy would have supposed her born to be "
    "an heroine.",
    "The person, be it gentleman or lady, who has not pleasure in a good novel, must be "
    "intolerably stupid.",
    "You pierce my soul. I am half agony, half hope. Tell me not that I am too late, that such "
    "precious feelings are gone for ever.",
    "Let other pens dwell on guilt and misery. I quit such odious subjects as soon as I can.",
    "One half of the world cannot understand the pleasures of the other.",
    "The family of Dashwood had long been settled in Sussex. Their estate was large, and their "
    "residence was at Norland Park.",
    "She was a woman of mean understanding, little information, and uncertain temper.",
)

CARROLL = (
    "Alice was beginning to get very tired of sitting by her sister on the bank, and of having "
    "nothing to do.",
    "The rabbit-hole went straight on like a tunnel for some way, and then dipped suddenly down.",
    "Either the well was very deep, or she fell very slowly, for she had plenty of time as she "
    "went down to look about her and to wonder what was going to happen next.",
    "Down, down, down. There was nothing else to do, so Alice soon began talking again.",
    "There were doors all round the hall, but they were all locked.",
    "She knelt down and looked along the passage into the loveliest garden you ever saw.",
    "There was a table set out under a tree in front of the house, and the March Hare and the "
    "Hatter were having tea at it.",
    "It looked good-natured, she thought: still it had very long claws and a great many teeth, so "
    "she felt that it ought to be treated with respect.",
    "A large rose-tree stood near the entrance of the garden: the roses growing on it were white, "
    "but there were three gardeners at it, busily painting them red.",
    "The Caterpillar and Alice looked at each other for some time in silence.",
    "Alice thought she had never seen such a curious croquet-ground in her life; it was all ridges "
    "and furrows.",
    "The Queen had only one way of settling all difficulties, great or small.",
    "Alice opened the door and found that it led into a small passage, not much larger than a "
    "rat-hole.",
    "The Cat only grinned when it saw Alice.",
    "The Mock Turtle sighed deeply, and drew the back of one flapper across his eyes.",
)

BIBLE = (
    "In the beginning God created the heaven and the earth. And the earth was without form, and "
    "void; and darkness was upon the face of the deep.",
    "And God said, Let there be light: and there was light. And God saw the light, that it was "
    "good: and God divided the light from the darkness.",
    "Yea, though I walk through the valley of the shadow of death, I will fear no evil: for thou "
    "art with me; thy rod and thy staff they comfort me.",
    "To every thing there is a season, and a time to every purpose under the heaven: A time to be "
    "born, and a time to die.",
    "Vanity of vanities, saith the Preacher, vanity of vanities; all is vanity.",
    "The race is not to the swift, nor the battle to the strong, neither yet bread to the wise, "
    "nor yet riches to men of understanding.",
    "Blessed are the poor in spirit: for theirs is the kingdom of heaven. Blessed are they that "
    "mourn: for they shall be comforted.",
    "Consider the lilies of the field, how they grow; they toil not, neither do they spin.",
    "Ask, and it shall be given you; seek, and ye shall find; knock, and it shall be opened unto "
    "you.",
    "In the beginning was the Word, and the Word was with God, and the Word was God.",
    "Though I speak with the tongues of men and of angels, and have not charity, I am become as "
    "sounding brass, or a tinkling cymbal.",
    "When I was a child, I spake as a child, I understood as a child, I thought as a child: but "
    "when I became a man, I put away childish things.",
    "For God so loved the world, that he gave his only begotten Son, that whosoever believeth in "
    "him should not perish, but have everlasting life.",
    "The LORD is my shepherd; I shall not want. He maketh me to lie down in green pastures: he "
    "leadeth me beside the still waters.",
    "Set me as a seal upon thine heart, as a seal upon thine arm: for love is strong as death.",
)

HELD_OUT = {
    "Austen": "Vanity and pride are different things, though the words are often used "
    "synonymously.",
    "Carroll": "First it marked out a race-course, in a sort of circle, and then all the party "
    "were placed along the course, here and there.",
    "King James Bible": "He that is without sin among you, let him first cast a stone at her.",
}
"""A passage of each, which is in no list: to be tried on a probe that has not seen it."""

PAIRS = (
    (("Austen", AUSTEN), ("Carroll", CARROLL)),
    (("Austen", AUSTEN), ("King James Bible", BIBLE)),
    (("Carroll", CARROLL), ("King James Bible", BIBLE)),
)
"""Two authors each: a name, and its passages."""
