//! A word for each byte: everyday Chinese characters, and the two-syllable words of the PGP word
//! list. Their places are part of what was compared: none may be moved.

/// 256 characters, each once.
pub(super) const HANZI: &str = "
天地日月星云风雨 雪山水火土木石金 花草树叶果米麦豆 茶酒盐糖油肉鱼虾
鸡鸭牛羊马狗猫兔 虎龙鸟虫蚕蜂蝶鹿 人口手足耳目牙发 心头面身父母儿女
兄弟姐友王民工农 东西南北中上下左 右前后里外内高低 大小多少长短远近
快慢早晚春夏秋冬 年时分秒今古新旧 红黄蓝绿白黑紫灰 一二三四五六七八
九十百千万个双只 衣帽鞋布线针刀剪 车船桥路门窗床灯 桌椅碗杯盘瓶锅勺
笔墨纸书画字文诗 歌琴鼓棋球弓箭旗 田园村城市街家店 井河湖海江溪岛岸
铁铜银玉珠宝钱币 走跑跳飞坐立站看 听说读写问答想笑 哭唱吃喝买卖开关
来去出停回过进退 生老病活学教知明 光电声色香味冷热 软硬轻重净湿安平
";

/// 256 words, each once.
pub(super) const ENGLISH: &str = "
aardvark absurd accrue acme adrift adult afflict ahead aimless Algol allow alone ammo ancient apple
artist assume Athens atlas Aztec baboon backfield backward banjo beaming bedlamp beehive beeswax
befriend Belfast berserk billiard bison blackjack blockade blowtorch bluebird bombast bookshelf
brackish breadline breakup brickyard briefcase Burbank button buzzard cement chairlift chatter
checkup chisel choking chopper Christmas clamshell classic classroom cleanup clockwork cobra commence
concert cowbell crackdown cranky crowfoot crucial crumpled crusade cubic dashboard deadbolt deckhand
dogsled dragnet drainage dreadful drifter dropper drumbeat drunken Dupont dwelling eating edict
egghead eightball endorse endow enlist erase escape exceed eyeglass eyetooth facial fallout flagpole
flatfoot flytrap fracture framework freedom frighten gazelle Geiger glitter glucose goggles goldfish
gremlin guidance hamlet highchair hockey indoors indulge inverse involve island jawbone keyboard
kickoff kiwi klaxon locale lockup merit minnow miser Mohawk mural music necklace Neptune newborn
nightbird Oakland obtuse offload optic orca payday peachy pheasant physique playhouse Pluto preclude
prefer preshrunk printer prowler pupil puppy python quadrant quiver quota ragtime ratchet rebirth
reform regain reindeer rematch repay retouch revenge reward rhythm ribcage ringbolt robust rocker
ruffled sailboat sawdust scallion scenic scorecard Scotland seabird select sentence shadow shamrock
showgirl skullcap skydive slingshot slowdown snapline snapshot snowcap snowslide solo southward
soybean spaniel spearhead spellbind spheroid spigot spindle spyglass stagehand stagnate stairway
standard stapler steamship sterling stockman stopwatch stormy sugar surmount suspense sweatband
swelter tactics talon tapeworm tempest tiger tissue tonic topmost tracker transit trauma treadmill
Trojan trouble tumor tunnel tycoon uncut unearth unwind uproot upset upshot vapor village virus
Vulcan waffle wallet watchword wayside willow woodlark Zulu
";
