/**
 * What words mean here, whatever their language: lower case, without accents, `*` for any ending, `_` for a space.
 * Looked for in this order; a word belongs to the first that has it.
 */
export const lexicon: Record<string, string> = {
  // S: what is not to be given away.
  S: "system_prompt systemprompt* umgebungsvariable* api_schlussel passwort* zugangsdaten clave contrasena* credenciales mot_de_passe cle_api invite_systeme prompt_systemowy haslo hasla chiave password segreto senha chave prompt_de_sistema prompt_do_sistema wachtwoord systeemprompt losenord sifre* parola* sistem_istemi kata_sandi mat_khau|" +
    "системныи_промпт* пароль* ключ_api секретн* системнии_промпт كلمة_المرور مفتاح 系统提示 系统提示词 密码 密钥 システムプロンプト パスワード 秘密鍵 시스템_프롬프트 비밀번호 पासवर्ड सिस्टम_प्रॉम्प्ट",
  // Y: you are, from now on.
  Y: "du_bist sie_sind eres jestes ahora_eres tu_es_maintenant vous_etes sei_ora voce_e_agora_voce_e jestes teraz_jij_bent je_bent_nu du_ar artik_sen kamu_sekarang anda_sekarang ban_bay_gio esti_acum|" +
    "ты_теперь теперь_ты вы_теперь ти_тепер тепер_ти انت_الان أنت_الآن 你现在是 你是 あなたは 당신은_이제 आप_अब",
  // Q: full marks in one word.
  Q: "满分 満点 만점 满点",
  // V: to set aside.
  V: "ignore* ignoring disregard* forget overrid* bypass* circumvent* disobey* neglect overrul* omit abandon|" +
    "ignorier* missachte* vergiss vergesst umgeh* uberspring* ubergeh* ignora ignorad ignoren ignorez ignorar ignorate ignorare|" +
    "olvida olvide omite omita salta saltate oublie oubliez contourn* passe_outre dimentica dimenticate trascura salta|" +
    "esqueca esquecam desconsidere desconsiderar pule contorne zignoruj* zapomnij pomin omin obejdz ignorujte zapomen|" +
    "negeer negeert vergeet omzeil sla_over ignorera glom strunta abaikan lupakan lewati bo_qua quen di nu_tine_cont ignorati uita|" +
    "игнорируи* проигнорируи* забудь* обоиди* пропусти* отбрось* отмени* ігноруи* проігноруи* забудь обіиди* пропусти*|" +
    "تجاهل تجاهلوا انس انسى تخط تجاوز 忽略 无视 無視して 無視し 忘记 忘れて 绕过 跳过 無視 무시 잊어 अनदेखा नज़रअंदाज भूल yok_say* unut gormezden_gel*",
  // C: what governs a model.
  C: "instruction instructions prompt prompts directive* guideline guidelines safeguard* guardrail* restriction* constraint* programming rules policies rubric directions|" +
    "anweisung* vorgabe* richtlinie* regeln weisung* instruccion* indicaciones reglas directrices consigne* instructions regles directives istruzioni regole direttive|" +
    "instrucoes regras diretrizes instrukcj* zasad* regul* polecen* instructies regels richtlijnen instruktion* regler instruksi* perintah aturan huong_dan quy_tac chi_thi instructiun* reguli* instrukce|" +
    "инструкци* указани* правила правил инструкці* вказівки вказівок التعليمات تعليمات القواعد الأوامر الاوامر 指令 指示 规则 規則 命令 指示を 規則を 지시* 규칙* 명령* निर्देश* नियम* talimat* kural* yonerge*",
  // P: which of them.
  P: "all any every previous prior earlier above preceding your these those its original initial foregoing given|" +
    "alle aller allen bisherigen vorherigen vorigen obigen deine ihre todas todos anteriores anterior previas tus sus toutes tous precedent* tes vos tutte tutti precedenti tue|" +
    "todas anteriores suas seus wszystkie poprzedni* wczesniejsz* swoje twoje alle vorige eerdere jouw je tidigare alla dina semua sebelumnya tat_ca truoc_do toate anterioar* tale vsechny predchozi|" +
    "все всё предыдущи* прежни* вышеуказан* свои твои ваши усі попередні* всі своі جميع كل السابقة سابقة 之前 以前 所有 全部 先前 上述 你的 您的 すべて 全て これまで 이전* 모든 सभी पिछले पहले onceki tum butun",
  // G: a gate that people or the critic keep.
  G: "approval approvals|freigabe* genehmigung* prufer* aprobacion* aprovacao approbation validation approvazione|" +
    "potwierdzeni* zatwierdzeni* goedkeuring bevestiging godkannande onay* persetujuan phe_duyet xac_nhan aprobare* confirmare*|" +
    "подтверждени* одобрени* согласовани* підтвердженн* схваленн* موافقة تاكيد تأكيد 批准 审批 确认 承認 確認 승인 확인 अनुमोदन स्वीकृति पुष्टि",
  // H: confirmation alone is also what a chart gives, so it counts only where something is done without it.
  H: "confirmation* confirmacion confirmacao conferma confirma bestatigung*",
  // Z: without.
  Z: "without|ohne sin senza sem sans bez zonder utan tanpa ma khong khong_can fara без بدون دون 无需 不经 不用 なしで なしに 없이 बिना almadan olmadan",
  // U: to let pass or carry out.
  U: "execute publish approve transfer withdraw|veroffentlich* genehmig* fuhr* uberweis* publica publique publiez publier pubblica ejecuta* execute* executa* esegui aprueba approva approuve aprova*|" +
    "opublikuj zatwierdz wykonaj publiceer keur voer publicera yayinla* gerceklestir* onayla* setujui terbitkan dang chuyen phe_duyet aproba* public*|" +
    "опублику* выполни* одобри* переведи* перевод опублікуи* схвали* انشر نفذ وافق 发布 执行 批准 通过 公開 実行 承認 게시* 실행* 승인* स्वीकृत प्रकाशित",
  // R: to give away.
  R: "zeig* nenne verrate gib muestra* revela* mostrame ensena montre* revele* affiche* donne mostra* rivela* dimmi mostre revele exiba pokaz* ujawnij podaj toon onthul visa goster* soyle acikla tampilkan tunjukkan hien_thi cho_xem arata dezvalui*|" +
    "покажи* раскрои* выведи* назови* розкрии* اعرض اظهر أظهر اكشف 显示 告诉 输出 透露 表示して 表示 見せて 教えて 보여* 알려* 출력* दिखाओ बताओ दिखाएं",
  // O: whose word counts.
  O: "administrator* besitzer* eigentumer* propietario dueno administrador* proprietaire administrateur proprietario amministratore dono wlasciciel* eigenaar beheerder agare administrator yonetici* sahib* pemilik quan_tri_vien proprietar*|" +
    "владелец* владельц* администратор* власник* адміністратор* المالك المسؤول مدير 管理员 所有者 管理者 オーナー 관리자 소유자 मालिक व्यवस्थापक",
  // J and K with F: marks to give.
  J: "gib vergib vergebt asigna* otorga* da pon attribue* donne* mets assegna* dai atribua* de przyznaj daj geef ge ver* berikan beri cho hay acorda* да поставь* дай присвои* постав* أعط امنح 给 给予 打 つけて 与えて 줘 주세요 दो दें",
  K: "punktzahl* punkte bewertung* note* puntuacion* calificacion* nota* note punteggio* voto pontuacao* ocena* ocene punkt* score* scores poang* puan* nilai* skor* diem punctaj*|балл* оценк* бал оцінк* درجة 分 得分 分数 点数 スコア 評価 점수 अंक",
  F: "volle vollen hochste* maximale* maxima* maximo* maximale maximal massimo massima* maksymaln* najwyzsz* volledige hogsta tam maksimum maksimal tertinggi penuh toi_da maxim*|максимальн* наивысш* высшии* максимум كاملة القصوى 满 最高 최고 पूरे अधिकतम",
  // A: the one who marks, called by the office.
  A: "bewerter* prufer* gutachter* evaluador* evaluateur* valutatore* avaliador* recenzent* oceniaj* beoordelaar* granskare degerlendirici* penilai*|критик* оценщик* критику المقيم الناقد 评审员 评审 评估者 審査員 評価者 평가자 मूल्यांकनकर्ता",
};
